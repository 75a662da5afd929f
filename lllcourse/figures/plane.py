"""A plane through three points in the space of all weights: what a loss looks like there."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call

from ..losses import cross_entropy
from ..training import evaluating


def position(model):
    """All weights of a network as one vector of their own, (P,), which later training does not change."""
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@dataclass(frozen=True)
class Plane:
    """A plane in the space of weights. origin: (P,). frame: (P, 2), two orthonormal directions."""

    origin: Tensor
    frame: Tensor

    @classmethod
    def through(cls, origin, first, second):
        """The plane through three points, (P,) each; the first direction leads from the origin to `first`.

        Raises ValueError where the three lie on a line.
        """
        ways = torch.stack([first - origin, second - origin], 1)
        frame, upper = torch.linalg.qr(ways)
        if upper.diagonal().abs().min() < 1e-6 * upper.abs().max():
            raise ValueError(
                "the three points lie on a line: there is no one plane"
            )
        return cls(origin, frame * upper.diagonal().sign())

    def coordinates(self, points):
        """Where points, (n, P) or (P,), lie on the plane, or their shadows if they lie off it: (n, 2) or (2,)."""
        return (points - self.origin) @ self.frame

    def off(self, points):
        """How far the points lie off the plane, (n,): a loss is not to be read at a shadow."""
        shadows = self.origin + self.coordinates(points) @ self.frame.T
        return (points - shadows).norm(dim=-1)

    @torch.no_grad()
    def loss(self, model, split, xs, ys):
        """The mean cross-entropy of the network on a Split over a grid of the plane: (ys, xs), on the CPU."""
        shapes = {name: p.shape for name, p in model.named_parameters()}
        sizes = [shape.numel() for shape in shapes.values()]
        split = split.to(self.origin.device)

        def at(xy):
            pieces = (self.origin + self.frame @ xy.to(self.origin)).split(sizes)
            weights = {
                name: piece.view(shape)
                for (name, shape), piece in zip(shapes.items(), pieces, strict=True)
            }
            there = lambda x: functional_call(model, weights, (x,))  # noqa: E731
            return cross_entropy(there, split.x, split.y)

        with evaluating(model):
            rows = [torch.stack([at(torch.stack([x, y])) for x in xs]) for y in ys]
        return torch.stack(rows).cpu()

"""Several networks as one: their layers stacked, so that a step of all takes one product of matrices a layer.

Only networks that are a row of linear layers and activations can be stacked, since for those it is plain that nothing
of one network reaches another.
"""

import torch
from torch import nn

from ..models.mlp import MLP

#: Activations work value by value, so they need no stacking.
ACTIVATIONS = (
    nn.ReLU,
    nn.LeakyReLU,
    nn.ELU,
    nn.GELU,
    nn.SiLU,
    nn.Sigmoid,
    nn.Tanh,
    nn.Identity,
)


class Stack(nn.Module):
    """Networks of one architecture as one, which holds a copy of their weights; `hand_out` gives them back.

    networks: as `why_not` has nothing against. Input (networks, n, inputs), output (networks * n, outputs), one network
    after another: so what a loss means over, it means over all of them.
    """

    def __init__(self, networks):
        super().__init__()
        rows = zip(*map(_steps, networks), strict=True)
        self.steps = nn.ModuleList(
            _Linears(row) if type(row[0]) is nn.Linear else row[0] for row in rows
        )

    def forward(self, x):
        x = x.flatten(2)
        for step in self.steps:
            x = step(x)
        return x.flatten(0, 1)

    @torch.no_grad()
    def hand_out(self, networks):
        """Copy the weights into the networks."""
        each = zip(*(network.parameters() for network in networks), strict=True)
        for together, parts in zip(self.parameters(), each, strict=True):
            views = together.mT if parts[0].ndim == 2 else together[:, 0]
            for p, view in zip(parts, views, strict=True):
                p.copy_(view)


class _Linears(nn.Module):
    """Linear layers of one shape side by side: weight (layers, in, out), bias (layers, 1, out)."""

    def __init__(self, layers):
        super().__init__()
        self.weight = nn.Parameter(stacked([layer.weight for layer in layers]))
        self.bias = nn.Parameter(stacked([layer.bias for layer in layers]))

    def forward(self, x):
        return torch.baddbmm(self.bias, x, self.weight)


def stacked(parts):
    """What belongs to one parameter of each network, (out, in) or (out,), as the stack has it: (networks, in, out) or
    (networks, 1, out). In this form a gradient is written in the order in which it is read.
    """
    together = torch.stack([part.detach() for part in parts])
    return together.mT.contiguous() if together.ndim == 3 else together[:, None]


def why_not(networks) -> str:
    """Why these networks cannot be stacked, or "" where they can."""
    rows = [_steps(network) for network in networks]
    for network, row in zip(networks, rows, strict=True):
        layers = [step for step in row or [] if type(step) is nn.Linear]
        if not layers or len({*layers}) < len(layers):
            return f"a {type(network).__name__} is more than a row of linear layers and activations, each used once"
        for layer in layers:
            parameters = list(layer.parameters())
            if len(parameters) < 2 or not all(p.requires_grad for p in parameters):
                return "a layer has no bias, or is frozen"
        used = {p for layer in layers for p in layer.parameters()}
        if len(used) < 2 * len(layers) or len(used) < len([*network.parameters()]):
            return "layers share a weight"
        if any(_is_hooked(layer) for layer in network.modules()):
            return "a layer is hooked"
    kinds = [
        [
            (type(step), str(step), *(p.dtype for p in step.parameters()))
            for step in row
        ]
        for row in rows
    ]
    return (
        ""
        if all(kind == kinds[0] for kind in kinds)
        else "the networks differ in their layers"
    )


def _steps(network):
    """The layers and activations that the network applies one after another to (n, inputs), or None."""
    if type(network) is MLP:
        relu = nn.ReLU()
        return [step for layer in network.layers for step in (layer, relu)][:-1]
    steps = list(network) if type(network) is nn.Sequential else None
    if steps and type(steps[0]) is nn.Flatten and steps[0].start_dim == 1:
        steps = steps[1:]
    known = steps and all(type(m) in (nn.Linear, *ACTIVATIONS) for m in steps)
    return steps if known else None


def _is_hooked(layer):
    hooks = layer._forward_hooks, layer._forward_pre_hooks, layer._backward_hooks
    return any(hooks) or "forward" in vars(layer)

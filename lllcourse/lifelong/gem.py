"""Gradient episodic memory: keep a few old examples, and take no step along which an old loss would rise.

    minimise |g' - g|^2   subject to   g' . g_k >= 0   for every past task k

g is the gradient of the present task, g_k that of past task k on its memory. If g itself meets every constraint it is
used as it is. Otherwise g' = g + G^T v, where the rows of G are the g_k, and v solves the dual problem: as many
unknowns as past tasks, where g has as many as the network has weights.

    minimise 1/2 v^T (G G^T) v + (G g)^T v   subject to   v >= 0

"Would rise" is meant to first order in the step: where g' is orthogonal to g_k, the curvature decides, and the old loss
can rise for every step size.

Lopez-Paz and Ranzato 2017, "Gradient episodic memory for continual learning" (arXiv:1706.08840).
"""

import math

import numpy as np
import torch
from torch.nn import functional as F

from .. import checks
from ..losses import cross_entropy, only_active
from ..per_sample import gradients_of_groups
from ..training import device_of, evaluating
from .memory import competing
from .method import Method
from .recorder import nbytes


def project(g, G, margin=0.0):
    """The vector closest to g, (P,), that has no negative product with any row of G, (t, P).

    g: the gradient of the present task. G: the gradients of the past tasks, a row each. Rows may repeat, oppose one
    another or be zero, and be of any size that float32 holds. Returns g itself where no product g . g_k is negative;
    else a new tensor of g's dtype, whose products are zero or more up to rounding (about 1e-6 |g| |g_k| at the worst).

    margin: the paper's gamma, in the form of its authors' code: the dual is solved with v >= margin. That is the same
    projection, of g + margin * (sum of the rows of G): the old losses are not just kept from rising, they are
    descended too. What is guaranteed remains g' . g_k >= 0, and g is still used as it is where it violates nothing.
    The lecture's form is margin 0.

    Raises ValueError for shapes that do not fit, values that are not finite, and a negative margin.
    """
    if (checked_products(g, G, margin) >= 0).all():
        return g
    start = new = g.double() + margin * G.sum(0) if margin else g.double()
    # Only constraints that are violated on the way can push: they are few, and
    # float64 is dear on all of G.
    pushing = torch.zeros(len(G), dtype=torch.bool)
    while (violated := (products(G, new).cpu() < 0) & ~pushing).any():
        pushing |= violated
        rows = pushing.nonzero().flatten().to(G.device, non_blocking=True)
        A = G[rows].double()
        new = start + solve_dual(A @ A.T, A @ start) @ A
    return new.to(g.dtype)


def solve_dual(gram, slopes):
    """The v >= 0, (t,), that minimises 1/2 v^T gram v + slopes^T v: how hard g' leans on each constraint.

    gram: G G^T, (t, t). slopes: G g, (t,). Both float64. Returns v on their device.

    The active-set method of Lawson and Hanson 1974: lean on the constraint that is violated most, balance all those
    that are leaned on, let go of those that would have to pull instead of push; until none is violated.
    """
    K, s = gram.cpu().numpy(), slopes.cpu().numpy()
    size = np.sqrt(K.diagonal())
    size[size == 0] = 1  # a zero gradient constrains nothing
    unit = np.abs(s / size).max() or 1.0
    K, s = K / size / size[:, None], s / size / unit
    # With repeated or opposite rows K is singular; a trace of ridge makes the
    # solution unique. It costs a violation of ridge * v, which is below
    # sqrt(ridge), and of the order of ridge unless constraints nearly oppose one
    # another.
    K += 1e-12 * np.eye(len(K))

    v, lean = np.zeros(len(s)), np.zeros(len(s), dtype=bool)
    for _ in range(
        10 * len(s)
    ):  # no more than 2 t in thousands of degenerate problems
        products = np.where(lean, np.inf, s + K @ v)
        if products.min() >= -1e-12:
            break
        lean[products.argmin()] = True
        while True:
            balanced = np.zeros(len(s))
            balanced[lean] = np.linalg.solve(K[lean][:, lean], -s[lean])
            pulls = lean & (balanced <= 0)
            if not pulls.any():
                v = balanced
                break
            # as far towards balance as no v falls below zero; the first that
            # reaches zero is let go
            way = np.full(len(s), np.inf)
            way[pulls] = v[pulls] / np.maximum(v - balanced, 1e-300)[pulls]
            v = v + way.min() * (balanced - v)
            lean &= way > way.min()
            v[~lean] = 0
    return torch.from_numpy(v / size * unit).to(slopes.device)


def gradient(model, x, y, active=None):
    """The gradient of the mean cross-entropy on the examples x, y, as one vector (P,).

    active: the outputs that compete, a boolean mask (outputs,) or (n, outputs); None means all. The network is
    looked at in evaluation mode: what is to be kept is what it answers.
    """
    with torch.enable_grad(), evaluating(model):
        loss = cross_entropy(model, x, y, active)
        parts = torch.autograd.grad(loss, weights(model), materialize_grads=True)
    return torch.cat([part.flatten() for part in parts])


def weights(model):
    """The parameters that are trained, a list: the gradient holds them in this order."""
    return [p for p in model.parameters() if p.requires_grad]


class GEM(Method):
    """Gradient episodic memory with one constraint for each past task.

    memory: how many training examples are kept of each task, drawn at random from `seed` (all, if there are fewer).
    margin: see `project`.

    With "sgd" a step raises no old memory's loss to first order. "momentum" and "adam" make their steps out of several
    gradients: each of those is projected, but nothing is promised about the step.
    """

    def __init__(self, memory, margin=0.0, seed=0):
        otherwise = "for each task; without memory it is fine-tuning: use Method()"
        checks.count("memory", memory, otherwise)
        check_margin(margin)
        self.size, self.margin = memory, margin
        self.generator = checks.generator(seed)
        self.memory = []  # for each past task: x, y and the outputs that it was learned with
        self.active = None

    def loss(self, model, x, y, active):
        self.active = active  # the outputs that compete at present
        return super().loss(model, x, y, active)

    def after_gradient(self, model):
        if not self.memory:
            return
        parameters = weights(model)
        for p in parameters:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        g = torch.cat([p.grad.flatten() for p in parameters])
        put(self.constrained(model, g), parameters)

    def constrained(self, model, g):
        """g', (P,): the gradient g with what would raise an old loss taken out."""
        return project(g, self.past_gradients(model), self.margin)

    def past_gradients(self, model):
        """G, (t, P): the gradient of each past task on its memory, at the present weights."""
        x, y, own = self.all
        active = competing(own, self.active)

        def losses(outputs, chosen):
            logits = only_active(
                outputs, None if active is None else active[chosen]
            )
            return F.cross_entropy(logits, y[chosen], reduction="none")

        sizes = [len(y) for _, y, _ in self.memory]
        return gradients_of_groups(model, x, sizes, losses)

    def before_task(self, model, task):
        """All memories as one: x (n, ...), y (n,), own (n, outputs)."""
        if self.memory:
            spread = [(x, y, own.expand(len(y), -1)) for x, y, own in self.memory]
            self.all = [torch.cat(parts) for parts in zip(*spread, strict=True)]

    def after_task(self, model, task, active):
        n, device = len(task.train), device_of(model)
        kept = task.train[torch.randperm(n, generator=self.generator)[: self.size]]
        kept = kept.to(device)
        self.memory.append((kept.x, kept.y, active))

    def storage(self):
        return sum(nbytes(*kept) for kept in self.memory)


def put(g, parameters):
    """Write the vector g, (P,), into the parameters' `.grad`."""
    pieces = g.split([p.numel() for p in parameters])
    for p, piece in zip(parameters, pieces, strict=True):
        p.grad.copy_(piece.view_as(p))


def products(G, g):
    """G g, (t,), in units of the largest entry of g: their signs are right for gradients of any size."""
    unit = g.abs().max().clamp(min=torch.finfo(g.dtype).tiny)
    return G @ (g / unit).to(G.dtype)


def checked_products(g, G, margin):
    """`products(G, g)`, or a ValueError that names what is wrong: a shape, a value that is not finite, the margin."""
    checks.require(
        g.ndim == 1, f"g has shape {tuple(g.shape)}; it must be one vector, (P,)"
    )
    checks.require(
        G.ndim == 2 and G.shape[1] == len(g),
        f"G has shape {tuple(G.shape)}; it must be (t, {len(g)}): a row for each past task, as long as g",
    )
    check_margin(margin)
    # a NaN anywhere is the largest entry, and in every product: this is cheap
    checks.finite(g=g.abs().max(), G=(found := products(G, g)))
    return found.cpu()


def check_margin(margin):
    checks.require(
        0 <= margin < math.inf,
        f"margin is {margin}; it must be a number from 0 (the plain projection) on",
    )

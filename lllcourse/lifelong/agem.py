"""Averaged GEM: one constraint for all past tasks together, so that the price does not grow with their number.

    g' = g - (g . g_ref) / (g_ref . g_ref) * g_ref   if g . g_ref < 0,   else g' = g

g is the gradient of the present task, g_ref that of a random batch out of all memories. It is GEM's projection with a
single row, for which the dual has a closed form. The mean of the old losses is kept from rising; a single one may rise.

Chaudhry, Ranzato, Rohrbach and Elhoseiny 2019, "Efficient lifelong learning with A-GEM" (arXiv:1812.00420).
"""

import torch

from .. import checks
from .gem import GEM, gradient
from .memory import competing, some


def project(g, g_ref):
    """The vector closest to g, (P,), whose product with g_ref, (P,), is not negative. It equals g where g's is not.

    A g_ref of zero constrains nothing. Raises ValueError for shapes that do not fit and for values that are not finite.
    """
    check_pair(g, g_ref)
    g64, ref = g.double(), g_ref.double()  # squares of small float32 would be zero
    product = g64 @ ref
    along = product / (ref @ ref) * ref
    return torch.where(product < 0, g64 - along, g64).to(g.dtype)


def check_pair(g, g_ref):
    """Raise ValueError, naming the argument, unless both are one finite vector, (P,)."""
    checks.require(
        g.ndim == 1 and g.shape == g_ref.shape,
        f"g has shape {tuple(g.shape)}, g_ref {tuple(g_ref.shape)}; both must be one vector, (P,)",
    )
    checks.finite(g=g.abs().max(), g_ref=g_ref.abs().max())


class AGEM(GEM):
    """Averaged GEM: one extra backward pass a step, however many tasks there were.

    memory, seed: as for `GEM`. batch: how many examples are drawn from all memories, anew for every step.
    """

    def __init__(self, memory, batch=32, seed=0):
        super().__init__(memory, seed=seed)
        checks.count("batch", batch, "the one constraint needs a gradient")
        self.batch = batch

    def drawn(self):
        """A random batch out of all memories: x, y, and the outputs to compete for each example, (n, outputs)."""
        x, y, own = some(self.all, self.batch, self.generator)
        return x, y, competing(own, self.active)

    def constrained(self, model, g):
        return project(g, gradient(model, *self.drawn()))

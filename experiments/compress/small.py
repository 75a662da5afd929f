"""The running table, rows of chapter 13: networks of half the units that were never large.

One with the dense network's training; the same one trained once more, as pruning and training on are two trainings; and
one that is trained with a quarter of the units, widened to half of them, and trained once more.
"""

from lllcourse.compression import dense
from lllcourse.compression.widening import widen
from lllcourse.data import digits
from lllcourse.models import MLP, LeNet5

from ._table import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"networks": dense.TRAINING}


def shaped(name, parts, seed):
    """A network with a share of 1 / parts of the units of the dense one."""
    if name == "LeNet-300-100":
        return MLP(784, 300 // parts, 100 // parts, 10, seed=seed)
    return LeNet5((16 // parts, 32 // parts), 128 // parts, seed=seed)


def run(seed, networks) -> dict:
    rows = {}
    for name in networks:
        small, narrow = (shaped(name, parts, 100 + seed) for parts in (2, 4))
        dense.train(small, name, seed=seed)
        dense.train(narrow, name, seed=seed)
        rows[name] = {"trained small": facts(small)}
        wide = widen(narrow, digits().train.x[:10], 2, seed=seed)
        for row, model in (("trained small, then widened", wide), ("pruned shape, from scratch", small)):
            dense.train(model, name, seed=100 + seed)
            rows[name][row] = facts(model)
    return rows

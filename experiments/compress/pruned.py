"""The running table, rows of chapter 12: weights at zero, and units removed, both trained on afterwards."""

from lllcourse.compression import dense
from lllcourse.compression.pruning import prune
from lllcourse.compression.structured import prune_units
from lllcourse.data import digits

from ._table import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"networks": dense.TRAINING, "sparsity": 0.9, "keep": 0.5, "lr": 0.03}


def run(seed, networks, sparsity, keep, lr) -> dict:
    """Both get as many epochs as the dense network had, with shorter steps."""
    rows = {}
    for name in networks:
        model = dense.trained(name, seed)
        few = prune(model, sparsity)
        small = prune_units(model, digits().train.x[:10], keep)
        for one in (few, small):
            dense.train(one, name, seed=100 + seed, lr=lr)
        rows[name] = {f"{sparsity:.0%} of the weights zero": facts(few), f"{keep:.0%} of the units": facts(small)}
    return rows

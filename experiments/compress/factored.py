"""The running table, rows of chapter 17: layers as two of lower rank, and convolutions taken apart.

Low rank: a tenth of the weights of every linear layer but the last. Of LeNet-5 also with all convolutions separable.
Trained on as in `architecture.ranks`.
"""

from lllcourse.compression import dense
from lllcourse.compression.low_rank import low_rank
from lllcourse.compression.separable import separate

from ._table import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"ranks": {"LeNet-300-100": {"layers.0": 21, "layers.1": 7}, "LeNet-5": {"hidden": 8}}, "epochs": 3}


def run(seed, ranks, epochs) -> dict:
    rows = {}
    for name in ranks:
        model = dense.trained(name, seed)
        nets = {"low rank": low_rank(model, ranks[name])}
        if name == "LeNet-5":
            nets["separable, low rank"] = low_rank(separate(model), ranks[name])
        for net in nets.values():
            dense.train(net, name, seed=100 + seed, epochs=epochs)
        rows[name] = {row: facts(net) for row, net in nets.items()}
    return rows

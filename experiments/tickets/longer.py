"""The shape that pruning of units leaves, from new random weights, with more epochs: three times those of `shapes`.

That is still about a quarter of the work of training the large network and then the pruned one.
"""

from lllcourse.compression import dense
from lllcourse.models import MLP

from ._runs import NETWORK, SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"network": NETWORK, "shape": [16, 6], "epochs": 60}


def run(seed, network, shape, epochs) -> dict:
    small = MLP(784, *shape, 10, seed=100 + seed)
    dense.train(small, network, seed=seed, epochs=epochs)
    return {"longer": {"-".join(map(str, shape)): facts(small)}}

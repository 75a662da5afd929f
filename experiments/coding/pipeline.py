"""Prune, share, code, by the weights left and the values a layer has, of LeNet-300-100: what a reader can choose.

{share of zeros: {k: {"bytes": of the file, "validation" and "accuracy" of the network in it}}}; one network is pruned
further and further, and shared at each stop.
"""

from lllcourse.compression import dense
from lllcourse.compression.clustering import share
from lllcourse.compression.deep_compression import code
from lllcourse.compression.pruning import prune

from ._runs import NETWORK, SEEDS, TUNING, facts, tune

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "sparsities": [0.8, 0.9, 0.95, 0.97, 0.98, 0.99],
    "clusters": [2, 4, 8, 16, 64],
    "between": 2,  # epochs after each pruning
    "few": 8,
    "tuning": TUNING | {"epochs": 1},
}


def run(seed, sparsities, clusters, between, few, tuning) -> dict:
    model = dense.trained(NETWORK, seed)
    found = {"dense": facts(model)}
    for sparsity in sparsities:
        model = prune(model, sparsity)
        dense.train(model, NETWORK, seed=100 + seed, epochs=between, lr=0.05)
        found[f"{sparsity:g}"] = {"pruned": facts(model)}
        for k in clusters:
            shared = share(model, k)
            tune(shared, seed, **tuning)
            result = code(shared, few=few)
            found[f"{sparsity:g}"][str(k)] = {"bytes": result.bytes} | facts(result.restore())
    return found

"""Small networks of equal size after equal epochs: trained small, trained narrower and widened, pruned."""

import copy

from lllcourse.compression import dense
from lllcourse.compression.pruning import prune
from lllcourse.compression.structured import prune_units
from lllcourse.compression.widening import widen
from lllcourse.data import digits
from lllcourse.models import MLP

from ._runs import NETWORK, SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "network": NETWORK,
    "training": dense.TRAINING[NETWORK],
    "shapes": [[150, 50], [30, 10], [16, 6]],
}


def run(seed, network, training, shapes) -> dict:
    """{shape: {way: facts}}; "loss": {shape, and that of the large network: mean training loss of each first epoch}.

    Every way takes the dense network's training twice, the second time with other batches, from what was made of the
    first one.
    """
    x = digits().train.x[:10]

    def train(model, seed):
        return dense.train(model, network, seed=seed, epochs=training["epochs"]).tolist()

    large = dense.untrained(network, seed)
    losses = {"300-100": train(large, seed)}
    weights = sum(layer.weight.numel() for layer in large.layers)
    found = {}
    for first, second in shapes:
        name, small = f"{first}-{second}", MLP(784, first, second, 10, seed=100 + seed)
        left = sum(layer.weight.numel() for layer in small.layers)
        losses[name] = train(small, seed)
        narrow = MLP(784, first // 2, second // 2, 10, seed=100 + seed)
        train(narrow, seed)
        ways = {
            "small": small,
            "wide": widen(narrow, x, {"layers.0": first, "layers.1": second}, seed=seed),
            "units": prune_units(large, x, {"layers.0": first, "layers.1": second}),
            "weights": prune(copy.deepcopy(large), 1 - left / weights),
        }
        for way in ways.values():
            train(way, 100 + seed)
        found[name] = {way: facts(model) for way, model in ways.items()}
    return found | {"loss": losses}

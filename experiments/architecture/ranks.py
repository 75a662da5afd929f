"""One layer of a trained network as two of rank K: accuracy at once, and after training on.

The way and the length of training on were chosen on the validation images of seeds 10 and 11; they are those of the
dense network, for fewer epochs. Beside it, where K is a tenth of the layer's weights: the two layers "drawn anew", all
other weights as they were; and the dense network trained on for as long, which is what the others are compared with.
"""

import copy

import torch

from lllcourse import checks
from lllcourse.compression import dense
from lllcourse.compression.low_rank import low_rank, matrix_of, rank_for_budget
from lllcourse.models.initial import draw

from ._runs import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "ranks": {
        "LeNet-300-100": {"layers.0": [1, 2, 4, 8, 64], "layers.1": [1, 2, 16]},
        "LeNet-5": {"convolutions.1": [4], "hidden": [2]},
    },
    "share": 0.1,
    "epochs": 3,
}


def run(seed, ranks, share, epochs) -> dict:
    """{network: {"dense", "dense, trained on": facts, layer: {rank: {"weights": of the two layers, "cut" and
    "trained": facts}}}}; of the rank that the share allows "anew" as well, and its number under "tenth".
    """
    found = {}
    for name, layers in ranks.items():
        model = dense.trained(name, seed)

        def train_on(net, name=name):
            dense.train(net, name, seed=100 + seed, epochs=epochs)
            return facts(net)

        mine = {"dense": facts(model), "dense, trained on": train_on(copy.deepcopy(model))}
        for layer, several in layers.items():
            W = matrix_of(model.get_submodule(layer))
            tenth = rank_for_budget(W, share * W.numel())
            mine[layer] = {"tenth": tenth, "before": W.numel()}
            for K in sorted({*several, tenth}):
                small = low_rank(model, {layer: K})
                one = {"weights": small.report.after, "cut": facts(small)}
                if K == tenth:
                    one["anew"] = train_on(anew(small, layer, seed))
                mine[layer][str(K)] = one | {"trained": train_on(small)}
        found[name] = mine
    return found


@torch.no_grad()
def anew(model, layer, seed):
    """A copy in which both halves of that layer have new weights."""
    new, generator = copy.deepcopy(model), checks.generator(1000 + seed)
    for half in new.get_submodule(layer):
        draw(half, generator)
    return new

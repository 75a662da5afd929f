"""Learned skipping: what the gates of a residual network decide, by the price of a block.

{price: accuracies, mean MACs, "rates": the share of test images that each block is computed for, "commonest": the share
of them on the commonest path, "static": the accuracy with this path for all, "shuffled": with every gate's decisions
dealt out to other images, "blocks": computed on average for the tenth of the images that the network is least sure of,
and for the others}; {"plain 2": the same network with two blocks and no gates}.
"""

import torch

from lllcourse import training
from lllcourse.compression.exits import sure
from lllcourse.compression.skipping import SkipNet, macs_of, priced
from lllcourse.data import digits

from ._runs import SEEDS, facts, share_right, train

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"channels": 8, "blocks": 4, "prices": [0.1, 0.3], "plain": [2], "epochs": 4}


def run(seed, channels, blocks, prices, plain, epochs) -> dict:
    test, found = digits().test, {}
    for price in prices:
        model = SkipNet(channels, blocks, seed=seed)
        train(model, seed, epochs, priced(price))
        found[f"{price:g}"] = facts(model) | of_gates(model, test, seed)
    for number in plain:
        model = SkipNet(channels, number, seed=seed)
        every = torch.ones(1, number)
        train(model, seed, epochs, always_open)
        with torch.no_grad(), training.evaluating(model):
            logits, _ = model.with_gates(test.x, every.expand(len(test), -1))
        without = macs_of(model, test.x, every).item() - number * channels  # the gates
        found[f"plain {number}"] = {"accuracy": share_right(logits.argmax(1), test), "macs": without}
    return found


def always_open(model, x, y, active=None):
    given = torch.ones(len(x), len(model.blocks))
    return torch.nn.functional.cross_entropy(model.with_gates(x, given)[0], y)


@torch.no_grad()
def of_gates(model, test, seed):
    generator = torch.Generator().manual_seed(seed)
    with training.evaluating(model):
        logits, gates = model.with_gates(test.x)
        paths, how_many = gates.unique(dim=0, return_counts=True)
        static = model.with_gates(test.x, paths[how_many.argmax()].expand(len(test), -1))[0]
        dealt = torch.stack([g[torch.randperm(len(g), generator=generator)] for g in gates.T], 1)
        shuffled = model.with_gates(test.x, dealt)[0]
    hard = sure(logits).argsort()[: len(test) // 10]
    rest = torch.ones(len(test), dtype=torch.bool)
    rest[hard] = False
    return {
        "macs": macs_of(model, test.x, gates).double().mean().item(),
        "rates": gates.mean(0).tolist(),
        "commonest": how_many.max().item() / len(test),
        "static": share_right(static.argmax(1), test),
        "shuffled": share_right(shuffled.argmax(1), test),
        "blocks": {"hard": gates[hard].sum(1).mean().item(), "rest": gates[rest].sum(1).mean().item()},
    }

"""Winning tickets and what makes them win, by the share of the weights that is left; and a supermask."""

import copy
from functools import partial

import torch

from lllcourse.compression import dense, pruning, tickets
from lllcourse.compression.supermask import learn_mask, signed_constants

from ._runs import NETWORK, SEEDS, SPARSITIES, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "network": NETWORK,
    "training": dense.TRAINING[NETWORK],
    "sparsities": SPARSITIES,
    "kinds": {
        "random": SPARSITIES,
        "signs": SPARSITIES[1:],
        "magnitudes": SPARSITIES[1:],
        "constant": SPARSITIES[1:],
    },
    "rewound": SPARSITIES[1:2],
    "early": 1,  # the epoch to which `rewound` goes back
    "longer": {"sparsity": SPARSITIES[1], "times": 3},  # new weights under the mask, with more epochs
    "supermask": {"epochs": 5, "lr": 4.0},
}


def run(seed, network, training, sparsities, kinds, rewound, early, longer, supermask) -> dict:
    """{"dense": facts, "ticket": {sparsity: facts}, a kind of restart: the same, "supermask": facts and its share}."""
    train = partial(dense.train, name=network, seed=seed, epochs=training["epochs"])
    initial = dense.untrained(network, seed)
    dense_one = after(train, initial)
    found, starts = {"dense": facts(dense_one), "ticket": {}}, {}
    rounds = tickets.rounds(initial, dense_one, sparsities, train)
    for sparsity, (ticket, trained) in zip(sparsities, rounds, strict=True):
        starts[sparsity] = ticket
        found["ticket"][f"{sparsity:g}"] = facts(trained)
    for kind, some in kinds.items():
        found[kind] = {
            f"{s:g}": facts(after(train, tickets.restart(starts[s], initial, kind, seed=seed))) for s in some
        }
    first = copy.deepcopy(initial)
    dense.train(first, network, seed=seed, epochs=early)
    # other batches than in its first epoch, and as many epochs in all
    go_on = partial(train, seed=100 + seed, epochs=training["epochs"] - early)
    found["rewound"] = {f"{s:g}": facts(after(go_on, tickets.restart(starts[s], first))) for s in rewound}
    new = tickets.restart(starts[longer["sparsity"]], initial, "random", seed=seed)
    more = partial(train, epochs=longer["times"] * training["epochs"])
    found["random, longer"] = {f"{longer['sparsity']:g}": facts(after(more, new))}
    return found | masks_of_random_weights(seed, initial, network, supermask)


def masks_of_random_weights(seed, initial, network, how) -> dict:
    """A learned mask over untrained signed constants; the same share of them at random; the weights not chosen."""
    constants = signed_constants(initial)
    learned = learn_mask(constants, partial(dense.train, name=network, seed=seed, **how), seed=seed)
    masks = pruning.mask_in(learned)
    draws = torch.Generator().manual_seed(seed)
    shuffled = {n: m.flatten()[torch.randperm(m.numel(), generator=draws)].view_as(m) for n, m in masks.items()}
    inverted = {n: ~m for n, m in masks.items()}
    share = {"share": learned.report.after / learned.report.before}
    return {
        "supermask": facts(learned) | share,
        "supermask, shuffled": facts(pruning.masked(constants, shuffled)),
        "supermask, inverted": facts(pruning.masked(constants, inverted)),
        "all constants": facts(constants),
    }


def after(train, start):
    """A copy of `start`, trained."""
    model = copy.deepcopy(start)
    train(model)
    return model

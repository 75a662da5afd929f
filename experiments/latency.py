"""How long LeNet-300-100 and LeNet-5 take in the forms that pruning gives them, beside the dense network.

Ratios of times, measured side by side on one thread; they depend on the machine, and nobody compares them with another
run. Weights do not matter, only how many are there; so each "seed" is another round of measuring.
"""

import platform

import torch

from lllcourse.compression import dense, footprint
from lllcourse.compression.pruning import prune, without_masks
from lllcourse.compression.sparse import in_sparse_format
from lllcourse.compression.structured import prune_units
from lllcourse.data import digits

SEEDS = (0, 1, 2)
TIMES = {"median", "low", "high"}  # what no two runs have in common
SETTINGS = {"sparsities": [0.5, 0.9, 0.95, 0.98], "shares": [0.5, 0.25], "batch_sizes": [1, 64], "rounds": 25}


def forms(name, seed, sparsities, shares):
    """The network in each form, by its name on the page."""
    model, x = dense.untrained(name, seed).eval(), digits().test.x
    found = {"dense": model}
    for s in sparsities:
        masked = prune(model, s, per_layer=True)
        found[f"{s:.0%} zeros"] = without_masks(masked)
        if name == "LeNet-300-100":
            found[f"{s:.0%} zeros, sparse format"] = in_sparse_format(masked)
    for k in shares:
        found[f"{k:.0%} of the units"] = prune_units(model, x[:4], k)
    return found


def run(seed, sparsities, shares, batch_sizes, rounds) -> dict:
    """{network: {form: {batch size: median, lower and upper quartile of the ratio}}}, and the machine."""
    x = digits().test.x
    found = {"machine": f"{platform.machine()}, {torch.get_num_threads()} thread"}
    for name in dense.TRAINING:
        models = forms(name, seed, sparsities, shares)
        found[name] = {form: {} for form in models}
        for n in batch_sizes:
            for form, values in footprint.ratios(models, x, n, rounds=rounds).items():
                found[name][form][str(n)] = dict(zip(("median", "low", "high"), values, strict=True))
    return found

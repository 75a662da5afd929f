"""How long pruned networks take on a GPU, beside the dense one: `python benchmarks/pruned_time.py`, where there is one.

The forms of chapter 12 (zeros, zeros left out in a sparse format, fewer units), measured in turn in three rounds.
Weights do not matter, only how many are there. Printed is JSON, {network: {form: {batch size: [median, lower quartile,
upper quartile]}}}, times as ratios; under "milliseconds" those of the dense network.
"""

import json

import torch

from lllcourse import device
from lllcourse.compression import footprint
from lllcourse.compression.pruning import prune, without_masks
from lllcourse.compression.sparse import in_sparse_format
from lllcourse.compression.structured import prune_units
from lllcourse.data import digits
from lllcourse.models import MLP

NETWORKS = {"784-300-100-10": (784, 300, 100, 10)}
BATCHES = (1, 64, 4096)


def forms(sizes, x):
    dense = MLP(*sizes).eval().to(x.device)
    found = {"dense": dense}
    for share in (0.9, 0.95, 0.99):
        masked = prune(dense, share, per_layer=True)
        found[f"{share:.0%} zeros"] = without_masks(masked)
        found[f"{share:.0%} zeros, sparse format"] = in_sparse_format(masked)
    for share in (0.5, 0.25):
        found[f"{share:.0%} of the units"] = prune_units(dense, x[:4], share)
    return found


if __name__ == "__main__":
    if not torch.cuda.is_available():
        raise SystemExit(print("There is no CUDA GPU here, so nothing was measured."))
    torch.backends.cuda.matmul.allow_tf32 = False
    x, found = digits().test.x.to(device()), {}
    for name, sizes in NETWORKS.items():
        models = forms(sizes, x)
        found[name] = {form: {} for form in models} | {"milliseconds": {}}
        for n in BATCHES:
            found[name]["milliseconds"][str(n)] = footprint.latency(models["dense"], x, n)
            for form, times in footprint.ratios(models, x, n, rounds=3).items():
                found[name][form][str(n)] = times
    print(json.dumps(found))

"""How few bits will do: rounded after training, and trained on with rounded weights.

The trained dense networks of the seed, some of them trained on for 3 epochs with the steps of chapter 12, which are a
fifth as long in the last one: with steps of one length a LeNet-5 (seed 2) ended on a bad step, also on validation
images. Longer steps (.1) are as good for fine values on the validation images of seed 10; for coarse ones they are
better for LeNet-300-100 and ruin LeNet-5.
"""

import copy

from lllcourse.compression import dense
from lllcourse.compression.quantization import quantized
from lllcourse.compression.storage import written

from ._again import train_on
from ._runs import SEEDS, facts, file_facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "lr": 0.03,
    "bits": [8, 4, 3, 2],
    "ways": {
        "per tensor, symmetric": {"per_channel": False, "symmetric": True},
        "per tensor, affine": {"per_channel": False, "symmetric": False},
        "per channel, symmetric": {"per_channel": True, "symmetric": True},
        "per channel, affine": {"per_channel": True, "symmetric": False},
    },
    "trained": {"LeNet-300-100": [3, 2], "LeNet-5": [2]},
}


def run(seed, lr, bits, ways, trained) -> dict:
    """{"bits": {network: {"dense" and "dense, trained on": facts, "rounded" and "trained": {bits: {way: facts}}}}}"""
    found = {}
    for name in trained:
        model = dense.trained(name, seed)
        mine = {"dense": facts(model) | {"bytes": len(written(model))}, "rounded": {}, "trained": {}}
        mine["dense, trained on"] = facts(train_on(copy.deepcopy(model), name, seed, lr))
        for b in bits:
            nets = {way: quantized(model, b, **how) for way, how in ways.items()}
            mine["rounded"][str(b)] = {way: file_facts(net) for way, net in nets.items()}
            if b in trained[name]:
                again = {way: train_on(net, name, seed, lr) for way, net in nets.items()}
                mine["trained"][str(b)] = {way: file_facts(net) for way, net in again.items()}
        found[name] = mine
    return {"bits": found}

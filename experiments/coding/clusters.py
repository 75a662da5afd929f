"""Weight sharing by the number of values, of LeNet-300-100 as it was trained, nothing pruned.

{k: {"shared": what `facts` tells, "trained": the same once the centres are trained, "bytes": of that one's file,
"fixed": what its indices would take with the same number of bits each}}; "dense" itself; and "biases and norms too":
the dense network trained on for as long, for comparison.
"""

import copy

from lllcourse import training
from lllcourse.compression import dense
from lllcourse.compression.clustering import share
from lllcourse.compression.deep_compression import code
from lllcourse.compression.stages import stages
from lllcourse.data import digits

from ._runs import NETWORK, SEEDS, TUNING, facts, tune

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"clusters": [2, 3, 4, 8, 16, 32, 64, 256], "tuning": TUNING | {"epochs": 2}}


def run(seed, clusters, tuning) -> dict:
    model = dense.trained(NETWORK, seed)
    found = {"dense": facts(model)}
    for k in clusters:
        shared = share(model, k)
        at_once = facts(shared)
        tune(shared, seed, **tuning)
        result = code(shared)
        fixed = stages(result)["shared"]
        found[str(k)] = {"shared": at_once, "trained": facts(result.restore())}
        found[str(k)] |= {"bytes": result.bytes, "fixed": sum(fixed.values()) - fixed["positions"]}
    longer = copy.deepcopy(model)
    training.train(longer, digits().train, epochs=tuning["epochs"], optimizer="adam", lr=tuning["lr"], seed=500 + seed)
    return found | {"dense, trained on": facts(longer)}

"""One network through all stages, under a budget in bytes: pruned, taught, shared, coded.

{way: {bytes: {"bytes": of the file, "left": its weights, "stages": where the bytes go, "pruned", "shared", "tuned",
"coded": accuracies after each stage}}}, and "dense", "student": accuracies at the start. The ways: the dense network
trained on by its labels; the same taught by itself as it was; and a student of few units, taught by the dense network
first, and then taught on. How long to train and the weight of the soft labels were chosen on the validation images
of seed 10; T and the number of values are those of chapters 14 and 16.
"""

from itertools import count

from lllcourse import training
from lllcourse.compression import dense
from lllcourse.compression.budget import pruned_within
from lllcourse.compression.clustering import share
from lllcourse.compression.deep_compression import code
from lllcourse.compression.distillation import taught
from lllcourse.compression.pruning import iterate
from lllcourse.compression.stages import stages
from lllcourse.data import digits
from lllcourse.losses import cross_entropy
from lllcourse.models import MLP

from ._runs import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "network": "LeNet-300-100",
    "limits": [10_000, 3_000],
    "sparsities": [0.85, 0.95],
    "clusters": 8,
    "epochs": 4,  # after each pruning
    "tuning": 2,  # epochs for the centres
    "T": 4,
    "student": 30,
}


def run(seed, network, limits, sparsities, clusters, epochs, tuning, T, student) -> dict:
    teacher, small = dense.trained(network, seed), MLP(784, student, 10, seed=seed)
    soft = taught(teacher, T=T)
    dense.train(small, network, seed=seed, loss=soft)
    ways = {"labels": (teacher, cross_entropy), "taught": (teacher, soft), "small, taught": (small, soft)}
    found = {"dense": facts(teacher), "student": facts(small)}
    for way, (model, loss) in ways.items():
        how = {"epochs": epochs, "loss": loss}
        rest, done = sparsities, 0
        if model is teacher:  # the first steps are the same under every limit
            model = iterate(teacher, sparsities, training_of(network, seed, 0, **how))
            rest, done = [], len(sparsities)
        found[way] = {
            str(limit): smaller(
                model, limit, rest, clusters, training_of(network, seed, done, **how), tuning, loss, seed
            )
            for limit in limits
        }
    return found


def training_of(network, seed, done, **how):
    """`train(net)` after a pruning, where so many trainings are done already; each has an order of its own."""
    orders = count(100 * (seed + 1) + done)
    return lambda net: dense.train(net, network, seed=next(orders), **how)


def smaller(model, limit, sparsities, clusters, train, tuning, loss, seed) -> dict:
    """As `budget.within`, with a look at the network after every stage."""
    pruned = pruned_within(model, limit, sparsities, clusters, train, few=clusters)
    shared = share(pruned, clusters)
    found = {"pruned": facts(pruned), "shared": facts(shared)}
    how = {"epochs": tuning, "optimizer": "adam", "lr": 1e-3, "seed": 500 + seed}
    training.train(shared, digits().train, loss=loss, **how)
    result = code(shared, few=clusters)
    found |= {"tuned": facts(shared), "coded": facts(result.restore())}
    left = sum(int((v != 0).sum()) for v in result.restore().state_dict().values() if v.ndim > 1)
    return found | {"bytes": result.bytes, "left": left, "stages": stages(result)}

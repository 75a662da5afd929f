"""Five ways to find the guards, and the plain anchors beside them, each over a grid of lambda, on three permuted tasks.

What chapter 05 shows of it: lambda is chosen on the validation images, over all seeds; test images give the report.
"""

from lllcourse import metrics, training
from lllcourse.lifelong.method import Method
from lllcourse.lifelong.seeds import learn_seeds
from lllcourse.models import MLP
from lllcourse.settings import PERMUTED
from lllcourse.tasks import permuted

from ._anchored import ANCHORED

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = PERMUTED | {
    "T": 3,
    "train": {"epochs": 10, "batch_size": 64, "lr": 0.15},
    "lams": {
        "L2": [0.0003, 0.001, 0.003, 0.01],
        "EWC": [3, 10, 30, 100],
        "online EWC": [3, 10, 30, 100],
        "SI": [0.003, 0.01, 0.03, 0.1],
        "MAS": [0.003, 0.01, 0.03, 0.1],
        "RWalk": [0.1, 0.3, 1, 3, 10],
        "SCP": [1, 10, 100, 1000],
    },
}


def run_seeds(seeds, T, sizes, train, lams) -> list[dict]:
    """For each seed, and for fine-tuning, joint training and every method and lambda: accuracies at the end, and
    backward transfer. All seeds are trained together.
    """
    tasks = {seed: permuted(T, seed) for seed in seeds}

    def measure(make_method, joint=False):
        def network(seed):
            return MLP(*sizes, seed=seed)

        runs = learn_seeds(make_method, network, tasks.get, seeds, joint=joint, **train)
        return [facts(run, tasks[seed]) for run, seed in zip(runs, seeds, strict=True)]

    results = [
        {"fine-tuning": tuned, "joint": joint}
        for tuned, joint in zip(measure(Method), measure(Method, joint=True), strict=True)
    ]
    for name, values in lams.items():
        for result in results:
            result[name] = {}
        for lam in values:
            found = measure(lambda name=name, lam=lam: ANCHORED[name](lam))
            for result, run in zip(results, found, strict=True):
                result[name][f"{lam:g}"] = run
    return results


def facts(learned, tasks):
    validation = [training.evaluate(learned.model, t.validation) for t in tasks]
    return {
        "validation": sum(validation) / len(tasks),
        "accuracy": metrics.accuracy(learned.R),
        "backward_transfer": metrics.backward_transfer(learned.R),
    }

"""Five ways to find the guards, and the plain anchors beside them, each over a grid of lambda, on three permuted tasks.

What chapter 05 shows of it: lambda is chosen on the validation images, over all seeds; test images give the report.
"""

from lllcourse import metrics, training
from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.l2 import L2
from lllcourse.lifelong.mas import MAS
from lllcourse.lifelong.method import Method, learn
from lllcourse.lifelong.online_ewc import OnlineEWC
from lllcourse.lifelong.rwalk import RWalk
from lllcourse.lifelong.scp import SCP
from lllcourse.lifelong.si import SI
from lllcourse.models import MLP
from lllcourse.tasks import permuted

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = {
    "T": 3,
    "sizes": [784, 100, 100, 10],
    "train": {"epochs": 10, "batch_size": 64, "lr": 0.15},
    "lams": {
        "L2": [0.0003, 0.001, 0.003, 0.01],
        "EWC": [3, 10, 30, 100],
        "online EWC": [3, 10, 30, 100],
        "SI": [0.003, 0.01, 0.03, 0.1],
        "MAS": [0.003, 0.01, 0.03, 0.1],
        "RWalk": [0.03, 0.1, 0.3, 1],
        "SCP": [1, 10, 100, 1000],
    },
}
METHODS = {
    "L2": L2,
    "EWC": EWC,
    "online EWC": OnlineEWC,
    "SI": SI,
    "MAS": MAS,
    "RWalk": RWalk,
    "SCP": SCP,
}


def run(seed, T, sizes, train, lams) -> dict:
    """For fine-tuning, joint training and every method and lambda: accuracies at the end, and backward transfer."""
    tasks = permuted(T, seed)

    def measure(method, joint=False):
        model = MLP(*sizes, seed=seed)
        learned = learn(method, model, tasks, joint=joint, seed=seed, **train)
        return {
            "validation": on_validation(model, tasks),
            "accuracy": metrics.accuracy(learned.R),
            "backward_transfer": metrics.backward_transfer(learned.R),
        }

    bounds = {"fine-tuning": measure(Method()), "joint": measure(Method(), joint=True)}
    return bounds | {name: {f"{lam:g}": measure(METHODS[name](lam)) for lam in values} for name, values in lams.items()}


def on_validation(model, tasks):
    return sum(training.evaluate(model, t.validation) for t in tasks) / len(tasks)

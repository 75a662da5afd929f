"""What chapter 06 compares with: fine-tuning, joint training, and EWC, which keeps no image, by lambda."""

from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.method import Method
from lllcourse.settings import PERMUTED
from lllcourse.tasks import permuted

from ._runs import SEEDS, measure

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = PERMUTED | {"lams": [1, 3, 10]}


def run(seed, T, sizes, train, lams) -> dict:
    tasks = permuted(T, seed)
    how = tasks, seed, sizes, train
    return {
        "fine-tuning": measure(Method(), *how),
        "joint training": measure(Method(), *how, joint=True),
        "EWC": {f"{lam:g}": measure(EWC(lam), *how) for lam in lams},
    }

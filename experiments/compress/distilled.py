"""The running table, rows of chapter 14: a small network, taught by the dense one's soft labels or by labels alone.

About a tenth of the parameters, trained as the dense network is; T as chapter 14 chose it on validation images.
"""

from lllcourse.compression import dense
from lllcourse.compression.distillation import taught
from lllcourse.models import MLP, LeNet5

from ._table import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"networks": dense.TRAINING, "T": 4}


def small(name, seed):
    return MLP(784, 30, 10, seed=seed) if name == "LeNet-300-100" else LeNet5((4, 8), 24, seed=seed)


def run(seed, networks, T) -> dict:
    rows = {}
    for name in networks:
        teacher = dense.trained(name, seed)
        student, alone = small(name, seed), small(name, seed)
        dense.train(student, name, seed=seed, loss=taught(teacher, T=T))
        dense.train(alone, name, seed=seed)
        rows[name] = {"small, taught by the dense one": facts(student), "small, alone": facts(alone)}
    return rows

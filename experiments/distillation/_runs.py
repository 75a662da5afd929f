"""What a student learns from a teacher: what the families share.

The teacher is the dense LeNet-300-100 of the seed, trained on all 3,500 labelled images; the student has one hidden
layer of 30 units, and is trained in the same way. Few images are the first of each digit in an order drawn from the
seed. The temperature and the epochs were chosen on the validation images of seeds 10 and 11.
"""

import torch

from lllcourse import training
from lllcourse.compression import dense
from lllcourse.data import digits
from lllcourse.losses import cross_entropy
from lllcourse.models.mlp import MLP

SEEDS = (0, 1, 2, 3, 4)
TEACHER = "LeNet-300-100"
SHARED = {"sizes": [784, 30, 10], "T": 4, "epochs": {"100": 100, "400": 40, "3500": 10}}


def few(n, seed):
    """n training images, as many of each digit."""
    split = digits().train
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))
    y = split.y[order]
    return split[torch.cat([order[y == digit][: n // 10] for digit in range(10)])]


def student(sizes, seed, split, epochs, loss=cross_entropy):
    model = MLP(*sizes, seed=seed)
    train(model, seed, split, epochs, loss)
    return model


def train(model, seed, split, epochs, loss=cross_entropy):
    """As the dense network is trained: long steps, and short ones in the last fifth of the epochs."""
    dense.train(model, TEACHER, seed=seed, epochs=epochs, data=split, loss=loss)


def facts(model) -> dict:
    data = digits()
    return {
        "validation": training.evaluate(model, data.validation),
        "accuracy": training.evaluate(model, data.test),
    }

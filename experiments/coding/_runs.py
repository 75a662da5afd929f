"""Weight sharing and coding: what the families share.

Pruning rises over `sparsities`, with a few epochs after each step; then every layer gets k values, and the centres are
trained by Adam, whose steps do not grow with how many weights a centre has. What was chosen was chosen on the
validation images of seeds 10 and 11.
"""

from lllcourse import training
from lllcourse.compression import dense
from lllcourse.data import digits

SEEDS = (0, 1, 2, 3, 4)
NETWORK = "LeNet-300-100"
TUNING = {"epochs": 3, "lr": 1e-3}


def facts(model) -> dict:
    data = digits()
    return {
        "validation": training.evaluate(model, data.validation),
        "accuracy": training.evaluate(model, data.test),
    }


def train_pruned(name, seed, steps, between, last):
    """`train(model)` for `pruning.iterate` over so many steps: `between` epochs after each, and `last` epochs at last,
    long steps and then short ones, as the dense network has.
    """
    done = []

    def train(model):
        order = 100 + seed + len(done)
        done.append(order)
        if len(done) < steps:
            dense.train(model, name, seed=order, epochs=between, lr=0.05)
        else:
            dense.train(model, name, seed=order, epochs=last)

    return train


def tune(model, seed, epochs, lr):
    """Train what a network with shared weights has to train: centres, biases, norms."""
    training.train(model, digits().train, epochs=epochs, optimizer="adam", lr=lr, seed=500 + seed)

"""Dynamic computation: what the families share. What was chosen was chosen on the validation images of seed 10."""

import torch

from lllcourse import training
from lllcourse.data import digits

SEEDS = (0, 1, 2, 3, 4)
LR = 0.1


def train(model, seed, epochs, loss=training.cross_entropy):
    """Long steps, and short ones in the last epoch, on the training digits."""
    data = digits().train
    training.train(model, data, epochs=max(0, epochs - 1), lr=LR, seed=seed, loss=loss)
    training.train(model, data, epochs=1, lr=0.2 * LR, seed=10_000 + seed, loss=loss)


def share_right(labels, split):
    return (labels == split.y).double().mean().item()


def facts(model) -> dict:
    data = digits()
    return {
        "validation": training.evaluate(model, data.validation),
        "accuracy": training.evaluate(model, data.test),
    }


@torch.no_grad()
def every(model, split):
    """The outputs of all exits for a split."""
    with training.evaluating(model):
        return model.every(split.x)

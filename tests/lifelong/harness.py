"""Small things that the tests of several methods need."""

from dataclasses import replace
from functools import cache

import torch

from lllcourse import tasks, training
from lllcourse.data import digits
from lllcourse.models import MLP


def weights(model):
    """All weights of a network as one vector of their own, which later training does not change."""
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def some(n=40):
    """The first n test digits and their labels."""
    split = digits().test[:n]
    return split.x, split.y


def trained(*sizes):
    """An MLP after one epoch on the digits."""
    model = MLP(*sizes)
    training.train(model, digits().train, epochs=1)
    return model


@cache
def short(T, seed=0):
    """T permuted tasks of 1,000 training images."""
    return [replace(task, train=task.train[:1000]) for task in tasks.permuted(T, seed)]

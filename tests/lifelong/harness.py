"""Small things that the tests of several methods need."""

from dataclasses import replace
from functools import cache

import torch

from experiments._anchored import ANCHORED as EACH
from lllcourse import tasks, training
from lllcourse.data import digits
from lllcourse.figures import position as weights
from lllcourse.lifelong import (
    AGEM,
    CPG,
    GEM,
    GenerativeReplay,
    ICaRL,
    LwF,
    Method,
    PackNet,
    Progressive,
    Replay,
    RWalk,
)
from lllcourse.models import MLP

# The methods that tie weights to an anchor, each from its lambda; RWalk with stretches that fit into a short task.
ANCHORED = EACH | {"RWalk": lambda lam: RWalk(lam, every=2)}
# All methods, each new at every call, for tasks of a few steps.
METHODS = {
    "fine-tuning": Method,
    **{name: lambda make=make: make(1.0) for name, make in ANCHORED.items()},
    "GEM": lambda: GEM(4),
    "A-GEM": lambda: AGEM(4),
    "replay": lambda: Replay(8),
    "generative replay": lambda: GenerativeReplay(steps=2, hidden=8, code=2),
    "LwF": LwF,
    "iCaRL": lambda: ICaRL(20),
    "PackNet": lambda: PackNet(0.5, retrain_epochs=1),
    "progressive": Progressive,
    "CPG": lambda: CPG(0.5, 0.9, grow=2, most=1, retrain_epochs=1),
}


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


def check_seeded(train):
    """That `train(seed)`, which returns a network, draws from its seed alone, and from no generator of others."""
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (weights(train(seed)) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, again) and not torch.equal(first, other)


def two_tasks_on_meta(method, active):
    """Take the method through two tasks on meta tensors, on which everything but the values exists, and float
    operations that mix devices raise. active: the outputs that compete, as `after_task` is told.
    """
    model, task = MLP(784, 10).to("meta"), digits()
    method.step_size, method.asked = 0.1, None
    for _ in range(2):
        method.before_task(model, task)
        training.train(
            model, task.train[:100], active=active, epochs=1, loss=method.loss, after_step=method.after_step,
            after_gradient=method.after_gradient,
        )  # fmt: skip
        method.after_task(model, task, active)

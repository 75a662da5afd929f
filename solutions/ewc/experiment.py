"""The graded training run of the assignment `ewc`: `python -m grader reference` makes the band of its test from it."""

import torch

from grader.assignment import Experiment
from lllcourse.lifelong import anchored, ewc


def importance(model, x, y):
    b = ewc.importance(model, x, y, labels="true")
    return torch.cat([part.flatten() for part in b])


def remember(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def fold(importances, anchors):
    """The package's, task by task; where nothing has importance it keeps the first anchor, which makes no pull."""
    (B, *more), (A, *places) = importances, anchors
    for b, theta in zip(more, places, strict=True):
        (B,), (A,) = anchored.fold([B], [A], [b], [theta])
    return B, A, (importances * (anchors - A) ** 2).sum()


def proximal_step(theta, gradient, B, A, lam, lr):
    """Gradient descent's step, then the package's pull."""
    new = theta - lr * gradient
    anchored.pull([new], [A], anchored.pull_weight([B], lam, lr))
    return new


EXPERIMENTS = {
    "ewc.permuted": Experiment(
        assignment="ewc",
        test="test-training",
        reference={
            "importance": importance,
            "remember": remember,
            "fold": fold,
            "proximal_step": proximal_step,
        },
        constants=("SIZES", "EPOCHS", "BATCH", "LR", "IMAGES"),
    )
}

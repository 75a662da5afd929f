"""Methods that tie every weight to an anchor, the more tightly the more important it was.

    L'(theta) = L(theta) + lambda * sum_i b_i (theta_i - theta_i^b)^2

theta^b, the anchor, are the weights after an old task; b_i >= 0 is the importance of weight i. The methods of this
family differ in two things only: how they measure b (`measure`), and what becomes of b and of the anchor when a further
task has been learned (`fold`).
"""

import torch

from .. import checks
from .method import Method
from .recorder import nbytes


def penalty(parameters, importance, anchor, lam):
    """lambda * sum_i b_i (theta_i - theta_i^b)^2, a scalar with gradient, for a finite lambda.

    parameters, importance, anchor: three lists of tensors alike in shape (or iterables, as `model.parameters()`).
    Raises ValueError, naming the list, where the shapes differ.
    """
    tied = checks.alike(parameters=parameters, importance=importance, anchor=anchor)
    return lam * sum(
        (b * (theta - theta_b) ** 2).sum() for theta, b, theta_b in tied
    )


def pull_weight(importance, lam, step_size):
    """The weights with which `pull` is the proximal step of the penalty: it moves to the minimum over theta of

        (theta - theta_now)^2 / (2 * step_size) + lambda * b * (theta - theta_b)^2

    In the limit of small steps that is a gradient step of size `step_size` on `penalty`; but it is stable for every
    lambda, where gradient steps grow without bound once step_size * lambda * b exceeds 1. With lambda = infinity it
    puts each weight with b > 0 back to its anchor and leaves the others free.
    """
    # where: infinity times 0 would not be a number
    stiffness = [
        torch.where(b > 0, 2 * step_size * lam * b, 0.0) for b in importance
    ]
    # s / (1 + s), in a form that is right at s = 0 and at s = infinity too
    return [1 / (1 + 1 / s) for s in stiffness]


def pull(parameters, anchor, weight):
    """Move every parameter, in place, by its `weight` in [0, 1] of the way to its anchor. Three lists of tensors."""
    for theta, theta_b, w in zip(parameters, anchor, weight, strict=True):
        theta.data.lerp_(theta_b, w)


def fold(importance, anchor, new, parameters):
    """The sum of two penalties as one: its importance B and its anchor A, two lists of tensors.

    importance, anchor: of the penalties so far. new, parameters: importance and weights after a further task.

    A sum of parabolas is a parabola: sum_t b_t (theta - a_t)^2 = B (theta - A)^2 + constant, with B = sum_t b_t and A
    the mean of the anchors weighted by b_t. So two tensors for each parameter suffice, however many tasks there were.
    """
    B = [old + b for old, b in zip(importance, new, strict=True)]
    share = [torch.where(s > 0, b / s, 0.0) for b, s in zip(new, B, strict=True)]
    # lerp is exact where the share is 1; a + share * (theta - a) is not
    A = [a.lerp(*way) for a, *way in zip(anchor, parameters, share, strict=True)]
    return B, A


class Anchored(Method):
    """What the anchored methods share: they measure importance after each task, and pull after each step.

    lam: the strength, from 0 (fine-tuning) to infinity (what has importance is frozen). Raises ValueError otherwise,
    and where lam is infinite for a network with running statistics (batch normalisation), which nothing would freeze.
    """

    # The pull is a step of plain gradient descent; Adam rescales its steps.
    optimizers = ("sgd", "momentum")

    def __init__(self, lam):
        checks.strength(lam)
        self.lam, self.importance, self.anchor = lam, [], []

    def penalty(self, model):
        """What the old tasks add to the loss at the present weights: `pull` takes its proximal step on this."""
        return penalty(model.parameters(), self.importance, self.anchor, self.lam)

    def before_task(self, model, task):
        checks.freezable(model, self.lam)
        self.weight = pull_weight(self.importance, self.lam, self.step_size)

    def after_step(self, model):
        if self.anchor:
            pull(model.parameters(), self.anchor, self.weight)

    def after_task(self, model, task, active):
        new = self.measure(model, task, active)
        theta = [p.detach().clone() for p in model.parameters()]
        first = not self.anchor
        self.importance, self.anchor = (
            (new, theta) if first else self.fold(new, theta)
        )

    def measure(self, model, task, active):
        """The importance of each weight for the task just learned: a list with a tensor for each parameter."""
        raise NotImplementedError

    def fold(self, new, theta):
        """Importance and anchor after a further task: here all importances added up, around the newest weights."""
        return [B + b for B, b in zip(self.importance, new, strict=True)], theta

    def storage(self):
        return nbytes(*self.importance, *self.anchor)

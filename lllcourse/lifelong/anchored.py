"""Penalties that tie every weight to an anchor."""

import torch

from ..checks import alike


def penalty(parameters, importance, anchor, lam):
    """lambda * sum_i b_i (theta_i - theta_i^b)^2, a scalar with gradient, for a finite lambda.

    parameters, importance, anchor: three lists of tensors alike in shape (or iterables, as `model.parameters()`).
    Raises ValueError, naming the list, where the shapes differ.
    """
    springs = alike(parameters=parameters, importance=importance, anchor=anchor)
    return lam * sum(
        (b * (theta - theta_b) ** 2).sum() for theta, b, theta_b in springs
    )


def pull(parameters, anchor, weight):
    """Move every parameter, in place, by its `weight` in [0, 1] of the way to its anchor. Three lists of tensors."""
    for theta, theta_b, w in zip(parameters, anchor, weight, strict=True):
        theta.data.lerp_(theta_b, w)


def pull_weight(importance, lam, step_size):
    """The weights with which `pull` is the proximal step of the penalty: it moves to the minimum over theta of

        (theta - theta_now)^2 / (2 * step_size) + lambda * b * (theta - theta_b)^2

    In the limit of small steps that is a gradient step of size `step_size` on `penalty`; but it is stable for every
    lambda, where gradient steps grow without bound once step_size * lambda * b exceeds 1. With lambda = infinity it
    puts each weight with b > 0 back to its anchor and leaves the others free.
    """
    # where: infinity times 0 would not be a number
    stiffness = [torch.where(b > 0, 2 * step_size * lam * b, 0.0) for b in importance]
    # s / (1 + s), in a form that is right at s = 0 and at s = infinity too
    return [1 / (1 + 1 / s) for s in stiffness]

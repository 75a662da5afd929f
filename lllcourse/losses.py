"""The losses that several methods share."""

import torch
from torch.nn import functional as F

from . import checks


def cross_entropy(model, x, y, active=None):
    """Mean cross-entropy of `model` on a batch, over the active outputs only.

    x (n, ...), y int64 (n,), active: boolean mask (outputs,) or, one for each example, (n, outputs); None means all.
    """
    return F.cross_entropy(only_active(model(x), active), y)


def only_active(logits, active):
    """The logits (n, outputs) with those outside the mask `active` at minus infinity: probability 0."""
    return logits if active is None else torch.where(active, logits, -torch.inf)


def distillation(student_logits, teacher_logits, T=2.0):
    """T^2 KL(teacher || student), both softened by the temperature T, the mean over the examples: a scalar, 0 or more.

    student_logits, teacher_logits: (n, outputs), finite. No gradient goes to the teacher.
    Raises ValueError for shapes that differ, and unless 0 < T < infinity.
    """
    checks.distillable(student_logits, teacher_logits, T)
    log_p = (teacher_logits.detach() / T).log_softmax(1)
    log_q = (student_logits / T).log_softmax(1)
    return T**2 * (log_p.exp() * (log_p - log_q)).sum(1).mean()

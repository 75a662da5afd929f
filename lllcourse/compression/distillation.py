"""Knowledge distillation: a small network, the student, learns the answers of a large one, the teacher.

The answers are soft labels: probabilities, which also say how much an image resembles each of the wrong classes. A
temperature T above 1 raises the small ones, so that they count:

    q = softmax(v / T),    L = (1 - w) * cross-entropy(y, z) + w * T^2 * KL(q || softmax(z / T))

z and v are the logits of student and teacher for the same image, y is its label. With w = 1 no label is needed, and the
teacher may answer for images that nobody has labelled. Of several teachers the soft labels are averaged, or they teach
in turn, a batch each.

Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network" (arXiv:1503.02531). An ensemble that
labels examples for a small network: Bucila, Caruana and Niculescu-Mizil 2006, "Model compression". Logits as targets:
Ba and Caruana 2014 (arXiv:1312.6184). Teachers that change from batch to batch: Fukuda et al. 2017, "Efficient
knowledge distillation from an ensemble of teachers".
"""

import math
from itertools import count

import torch
from torch.nn import functional as F

from .. import checks
from ..losses import cross_entropy, distillation
from ..training import evaluating


def soft_labels(logits, T):
    """The probabilities that logits (n, outputs) stand for, softened by the temperature T: (n, outputs)."""
    checks.temperature(T)
    return (logits / T).softmax(1)


def averaged(logits, T):
    """The logits of one teacher in place of several: its soft labels at T are the mean of theirs.

    logits: a list of (n, outputs), those of each teacher. Raises ValueError for an empty list.
    """
    checks.require(
        len(logits) > 0, "logits is empty; give those of one teacher at least"
    )
    log_q = torch.stack([(v / T).log_softmax(1) for v in logits])
    return T * (log_q.logsumexp(0) - math.log(len(logits)))


def taught(*teachers, T=4.0, weight=1.0, in_turn=False):
    """The loss of a student of these networks, for `training.train(student, split, loss=taught(teacher))`.

    T: the temperature. weight: w above, the share of the soft labels in the loss; 0 is training on the labels alone,
    and at 1 the labels are not looked at. in_turn: every batch has one teacher, the next one in the row, instead of
    the mean of all. The teachers are only looked at.

    The gradient grows with T at first: a step size that is right for labels can be too long.

    Raises ValueError for no teacher, T or weight out of range; and, once it is used, for a teacher with other outputs
    than the student, a student that is its own teacher, or masked outputs.
    """
    checks.require(
        len(teachers) > 0, "no teacher is given: taught(teacher) needs one or more"
    )
    for i, teacher in enumerate(teachers):
        checks.require(
            callable(teacher),
            f"teachers[{i}] is a {type(teacher).__name__}; give networks one by one, taught(first, second)",
        )
    checks.temperature(T)
    checks.share("weight", weight)
    calls = count()

    def loss(model, x, y, active=None):
        if weight == 0:
            return cross_entropy(model, x, y, active)
        checks.require(
            active is None,
            "active must be None: a teacher answers with all its outputs",
        )
        one = teachers[next(calls) % len(teachers)]
        asked = [one] if in_turn else teachers
        z = model(x)
        soft = distillation(z, averaged(answers(asked, model, x, z), T), T)
        if weight == 1:
            return soft
        return (1 - weight) * F.cross_entropy(z, y) + weight * soft

    return loss


def answers(teachers, student, x, z):
    """The logits of every teacher for the examples x, a list of (n, outputs); z are the student's."""
    found = []
    for i, teacher in enumerate(teachers):
        checks.require(
            teacher is not student,
            "the student is among its teachers, and would learn nothing: teach a copy, or another network",
        )
        v = ask(teacher, x)
        checks.require(
            v.shape == z.shape,
            f"teachers[{i}] has outputs {tuple(v.shape)} for a batch, the student {tuple(z.shape)}; give a teacher "
            "and a student of the same classes",
        )
        found.append(v)
    return found


@torch.no_grad()
def ask(network, x):
    """The outputs of a network in evaluation mode, which leaves it as it was."""
    with evaluating(network):
        return network(x)

"""Hints: the student learns what a hidden layer of the teacher says, not only its answers.

h and u are the hidden layers of student and teacher for the same image. The student's is narrower, so a linear map W
of its own width to the teacher's comes between; it is learned with the student and thrown away:

    L = mean of (W h + c - u)^2

First the hidden layers are trained on this, then the whole student is taught by answers as usual.

Romero et al. 2015, "FitNets: Hints for thin deep nets" (arXiv:1412.6550), from the middle layer of a deep teacher.
"""

import torch
from torch import nn
from torch.nn.utils import skip_init

from .. import checks
from ..models.initial import draw
from ..training import evaluating


class Mapped(nn.Module):
    """A student with the map of its hidden layer to a wider one. After training, `.student` is what is wanted.

    narrow, wide: the widths of the student's last hidden layer and the teacher's.

    >>> from lllcourse.models import MLP
    >>> Mapped(MLP(4, 3, 2), 3, 8).features(torch.zeros(5, 4)).shape
    torch.Size([5, 8])
    """

    def __init__(self, student, narrow, wide, *, seed=0):
        super().__init__()
        self.student, self.map = student, skip_init(nn.Linear, narrow, wide)
        with torch.no_grad():
            draw(self.map, checks.generator(seed))

    def forward(self, x):
        return self.student(x)

    def features(self, x):
        return self.map(self.student.features(x))


def distance(h, u):
    """The mean squared distance of two hidden layers, (n, width) each: a scalar. No gradient goes to u."""
    return (h - u.detach()).square().mean()


def hint(teacher):
    """The loss by which a student learns the last hidden layer of `teacher`, for `training.train`.

    The student is a network with `features`, of the teacher's width; where its own layer is narrower, in a `Mapped`.
    The teacher is only looked at, labels are not. Raises ValueError for a network without `features`, and, once it is
    used, for layers of different widths.
    """
    check(teacher, "teacher")

    def loss(model, x, y, active=None):
        check(model, "student")
        h = model.features(x)
        with torch.no_grad(), evaluating(teacher):
            u = teacher.features(x)
        checks.require(
            h.shape == u.shape,
            f"the hidden layer of the student has {h.shape[1]} units, the teacher's {u.shape[1]}: put a map between, "
            f"Mapped(student, {h.shape[1]}, {u.shape[1]})",
        )
        return distance(h, u)

    return loss


def check(network, name):
    checks.require(
        hasattr(network, "features"),
        f"the {name} has no `features`, which gives its last hidden layer, (n, width): take a network of `models`, or "
        "add that method",
    )

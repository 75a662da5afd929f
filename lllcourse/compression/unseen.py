"""A class that the student never saw: its bias is too low, and the priors say by how much.

On the images that teach the student, the teacher's soft labels have the mean q: their prior. A class that is missing
there has a small q_k, which the student learns like everything else. If the classes really come with the prior r, then
by Bayes' rule, applied to the softened answers,

    z_k <- z_k + T * log(r_k / q_k)

Nothing but the bias of the last layer changes. Hinton, Vinyals and Dean 2015 (arXiv:1503.02531) omit a digit and find
that its bias is too low; they choose the correction by the test errors. The correction by priors is older: Saerens,
Latinne and Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori probabilities".
"""

import copy

import torch
from torch import nn

from .. import checks
from .distillation import ask, soft_labels


def prior(teacher, split, T):
    """The mean of the teacher's soft labels over a split, (outputs,); its own labels are not looked at.

    Raises ValueError for an empty split, or a T that is no temperature.
    """
    checks.require(
        len(split), "the split is empty: the teacher has nothing to answer"
    )
    return soft_labels(ask(teacher, split.x), T).mean(0)


def shift(q, r, T):
    """What to add to the logits where the prior is r instead of q, both (outputs,) and above 0."""
    checks.temperature(T)
    for name, p in (("q", q), ("r", r)):
        checks.require(
            (p > 0).all(),
            f"{name} has a class of probability 0, which no finite bias stands for",
        )
    return T * (r / q).log()


def corrected(student, shift):
    """A copy of the student with `shift`, (outputs,), added to the bias of its last layer.

    The last layer is the last module with parameters. Raises ValueError where that is not a linear layer with a bias
    for every output, and where all outputs would be shifted alike, which changes no answer.
    """
    checks.require(
        (shift != shift[0]).any(),
        "shift is the same for every output, which changes no answer: the priors agree already",
    )
    new = copy.deepcopy(student)
    last = [
        m
        for m in new.modules()
        if next(m.parameters(recurse=False), None) is not None
    ][-1]
    checks.require(
        isinstance(last, nn.Linear)
        and last.bias is not None
        and last.bias.shape == shift.shape,
        f"the last layer is {last}; it must be linear, with a bias for each of the {len(shift)} outputs in shift",
    )
    with torch.no_grad():
        last.bias += shift
    return new

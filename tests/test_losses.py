"""Distillation against the divergence of the softened answers, and what it refuses."""

import math

import pytest
import torch
from torch.nn import functional as F

from lllcourse import losses
from lllcourse.lifelong import LwF


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("T", [0.5, 1.0, 2.0, 20.0])
def test_distillation_is_the_divergence_of_the_softened_answers(T):
    student, teacher = 3 * draw(0, 7, 5), 3 * draw(1, 7, 5)
    theirs = F.kl_div(
        (student / T).log_softmax(1),
        (teacher / T).softmax(1),
        reduction="batchmean",
    )
    ours = losses.distillation(student, teacher, T)
    assert torch.allclose(ours, T**2 * theirs, rtol=1e-4)


def test_distillation_is_the_papers_cross_entropy_but_for_a_constant_and_the_factor():
    student, teacher, T = draw(0, 7, 5).requires_grad_(), draw(1, 7, 5), 2.0
    p, q = teacher.softmax(1) ** (1 / T), student.softmax(1) ** (1 / T)
    p, q = p / p.sum(1, keepdim=True), q / q.sum(1, keepdim=True)
    (paper,) = torch.autograd.grad(-(p * q.log()).sum(1).mean(), student)
    (ours,) = torch.autograd.grad(losses.distillation(student, teacher, T), student)
    assert torch.allclose(ours, T**2 * paper, atol=1e-6)


def test_what_cannot_be_distilled_is_named():
    with pytest.raises(ValueError, match=r"student_logits has shape \(3, 4\)"):
        losses.distillation(torch.zeros(3, 4), torch.zeros(3, 5))
    for T in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"T is {T}"):
            losses.distillation(torch.zeros(3, 4), torch.zeros(3, 4), T)
        with pytest.raises(ValueError, match=f"T is {T}"):
            LwF(1.0, T=T)

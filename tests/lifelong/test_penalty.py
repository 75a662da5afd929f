"""The penalty on numbers by hand, and the pull as the proximal step that it is."""

import math

import pytest
import torch

from lllcourse.lifelong import anchored


def test_the_penalty_on_three_numbers():
    theta, b, anchor = (
        [torch.tensor([1.0, 2.0, 3.0])],
        [torch.tensor([1.0, 0.0, 4.0])],
        [torch.tensor([0.0, 0.0, 2.5])],
    )
    assert anchored.penalty(theta, b, anchor, lam=10.0).item() == 10 * (1 * 1 + 0 * 4 + 4 * 0.25)


def random_problem(seed):
    g = torch.Generator().manual_seed(seed)
    draw = lambda: torch.randn(50, generator=g, dtype=torch.float64)  # noqa: E731
    return draw(), draw() ** 2, draw()


@pytest.mark.parametrize("lam", [0.0, 0.3, 1e3, 1e12])
def test_the_pull_is_the_minimum_of_the_proximal_problem(lam):
    for seed in range(5):
        now, b, anchor = random_problem(seed)
        theta = now.clone()
        anchored.pull([theta], [anchor], anchored.pull_weight([b], lam, step_size=0.1))
        at = theta.clone().requires_grad_()
        (((at - now) ** 2).sum() / 0.2 + anchored.penalty([at], [b], [anchor], lam)).backward()
        assert torch.allclose(at.grad, torch.zeros_like(at), atol=1e-8 * (1 + lam))


def test_small_steps_of_the_pull_are_gradient_steps_on_the_penalty():
    theta, b, anchor = random_problem(0)
    at = theta.clone().requires_grad_()
    anchored.penalty([at], [b], [anchor], lam=3.0).backward()
    for step in (1e-4, 1e-6):
        pulled = theta.clone()
        anchored.pull([pulled], [anchor], anchored.pull_weight([b], 3.0, step))
        slope = (theta - pulled) / step
        assert torch.allclose(slope, at.grad, rtol=1e3 * step, atol=1e-8)


def test_the_pull_never_overshoots():
    theta, b, anchor = random_problem(1)
    for lam in (0.0, 1.0, 1e8, math.inf):
        (w,) = anchored.pull_weight([b], lam, step_size=0.1)
        assert ((w >= 0) & (w <= 1)).all()

"""Measured transfer and the search on it: the search against brute force, the measurement against `learn` itself."""

from itertools import permutations

import pytest
import torch

from lllcourse import metrics
from lllcourse.lifelong import EWC, Method, learn
from lllcourse.lifelong.curriculum import best_order, pairwise, score
from lllcourse.models import MLP

from .harness import short


@pytest.mark.parametrize("fade", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("T", [1, 2, 4, 6])
def test_no_order_beats_the_one_that_is_found(T, fade):
    for seed in range(10):
        W = torch.randn(T, T, generator=torch.Generator().manual_seed(seed))
        order = best_order(W, fade)
        assert sorted(order) == list(range(T))
        most = max(score(other, W, fade) for other in permutations(range(T)))
        assert score(order, W, fade) == pytest.approx(most)


def test_the_score_is_the_sum_over_the_pairs_by_hand():
    W = [[9, 1, 2], [3, 9, 4], [5, 6, 9]]
    assert score([0, 1, 2], W, 1.0) == 1 + 2 + 4
    assert score([0, 1, 2], W, 0.1) == pytest.approx(0.1 * 1 + 2 + 4)
    assert score([0, 1, 2], W, 0.0) == 2 + 4


def test_with_symmetric_transfer_and_no_fading_every_order_is_worth_the_same():
    """Why there is a `fade`: what two tasks do to each other is nearly the same both ways."""
    W = torch.rand(5, 5, generator=torch.Generator().manual_seed(0))
    scores = [score(order, W + W.T, 1.0) for order in permutations(range(5))]
    assert max(scores) - min(scores) < 1e-5
    scores = [score(order, W + W.T, 0.5) for order in permutations(range(5))]
    assert max(scores) - min(scores) > 0.1


def test_a_task_that_harms_all_others_does_not_come_last():
    W = torch.zeros(4, 4)
    W[:, 2] = -1.0
    assert best_order(W)[0] == 2


def test_sixteen_tasks_are_searched_in_seconds_and_not_more():
    W = torch.zeros(16, 16)
    W[:, 5] = 1.0
    assert best_order(W)[-1] == 5
    with pytest.raises(ValueError, match="1 to 16 tasks"):
        best_order(torch.zeros(17, 17))


def test_transfer_is_that_of_the_two_tasks_learned_alone():
    tasks, settings = short(3), {"epochs": 1, "seed": 4}
    forward, backward = pairwise(lambda: EWC(1.0), lambda: MLP(784, 20, 10, seed=4), tasks, **settings)
    assert forward.shape == backward.shape == (3, 3)
    assert (forward.diagonal() == 0).all() and (backward.diagonal() == 0).all()
    pair = [tasks[2], tasks[0]]
    model = MLP(784, 20, 10, seed=4)
    R = learn(EWC(1.0), model, pair, on="validation", **settings).R
    assert forward[2, 0] == metrics.forward_transfer(R)
    assert backward[2, 0] == metrics.backward_transfer(R) != 0


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"shape \(2, 3\)"):
        best_order(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="not finite"):
        best_order(torch.full((2, 2), torch.nan))
    for fade in (-0.1, 1.5):
        with pytest.raises(ValueError, match=f"fade is {fade}"):
            best_order(torch.zeros(2, 2), fade)
        with pytest.raises(ValueError, match=f"fade is {fade}"):
            score([0, 1], torch.zeros(2, 2), fade)
    with pytest.raises(ValueError, match="between two"):
        pairwise(Method, lambda: MLP(784, 10), short(1))

"""The metrics against tables worked out by hand, and wrong shapes against their messages."""

import math

import pytest
import torch

from lllcourse.metrics import accuracy, backward_transfer, forgetting, forward_transfer, gap_closed

# rows: untrained, after task 1, 2, 3; columns: tasks 1, 2, 3
R = torch.tensor([[0.1, 0.2, 0.3], [0.9, 0.4, 0.2], [0.8, 0.7, 0.6], [0.5, 0.9, 1.0]])


def test_accuracy_is_the_mean_of_the_last_row():
    assert math.isclose(accuracy(R), (0.5 + 0.9 + 1.0) / 3, rel_tol=1e-6)


def test_backward_transfer_compares_the_end_with_just_after_learning():
    assert math.isclose(backward_transfer(R), ((0.5 - 0.9) + (0.9 - 0.7)) / 2, rel_tol=1e-6)


def test_forward_transfer_compares_just_before_learning_with_the_untrained_network():
    assert math.isclose(forward_transfer(R), ((0.4 - 0.2) + (0.6 - 0.3)) / 2, rel_tol=1e-6)


def test_forgetting_compares_the_end_with_the_best_before():
    assert math.isclose(forgetting(R), ((0.9 - 0.5) + (0.7 - 0.9)) / 2, rel_tol=1e-6)


def test_the_definitions_hold_entry_by_entry_on_random_tables():
    for seed in range(20):
        T = 2 + seed % 5
        table = torch.rand(T + 1, T, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        r = lambda i, j, table=table: table[i, j - 1].item()  # noqa: E731  R_{i,j} as the lecture writes it
        tasks = range(1, T + 1)
        expected = [
            sum(r(T, i) for i in tasks) / T,
            sum(r(T, i) - r(i, i) for i in range(1, T)) / (T - 1),
            sum(r(i - 1, i) - r(0, i) for i in range(2, T + 1)) / (T - 1),
            sum(max(r(k, i) for k in range(1, T)) - r(T, i) for i in range(1, T)) / (T - 1),
        ]
        got = [f(table) for f in (accuracy, backward_transfer, forward_transfer, forgetting)]
        assert got == pytest.approx(expected)


@pytest.mark.parametrize("metric", [accuracy, backward_transfer, forward_transfer, forgetting])
@pytest.mark.parametrize("shape", [(3, 3), (2, 3), (5, 3), (3,), (2, 2, 1)])
def test_a_wrong_shape_is_a_clear_error(metric, shape):
    with pytest.raises(ValueError, match=r"must be \(T \+ 1, T\)"):
        metric(torch.zeros(shape))


@pytest.mark.parametrize("metric", [backward_transfer, forward_transfer, forgetting])
def test_transfer_needs_two_tasks(metric):
    with pytest.raises(ValueError, match="at least 2; it has 1"):
        metric([[0.1], [0.9]])


def test_a_table_with_holes_is_refused():
    with pytest.raises(ValueError, match="row 0 included"):
        accuracy([[float("nan"), 0.1], [0.2, 0.3], [0.4, 0.5]])


def test_the_gap_closed_is_nought_at_the_lower_bound_and_one_at_the_upper():
    low, high, R = ([[0.1, 0.1], [0.9, 0.1], [x, x]] for x in (0.5, 0.9, 0.8))
    assert gap_closed(low, low, high) == 0 and gap_closed(high, low, high) == 1
    assert gap_closed(R, low, high) == pytest.approx(0.75)
    with pytest.raises(ValueError, match="no gap"):
        gap_closed(R, high, low)

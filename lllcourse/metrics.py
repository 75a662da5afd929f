"""The R table of a task sequence, and the numbers that are read from it.

R[i, j] is the accuracy on task j after training on tasks 1 to i; row 0 is the untrained network. With T tasks the
tensor has shape (T + 1, T): a row for each moment, a column for each task. In code columns are counted from 0, so
"task j after task i" is `R[i, j - 1]`. (Lopez-Paz and Ranzato 2017, arXiv:1706.08840)
"""

import torch


def accuracy(R) -> float:
    """Mean accuracy over all tasks at the end: 1/T sum_i R[T, i].

    >>> accuracy([[0.5, 0.5], [0.9, 0.6], [0.7, 0.8]])
    0.75
    """
    R, T = _table(R, least=1)
    return R[T].mean().item()


def backward_transfer(R) -> float:
    """How learning later tasks changed the earlier ones: 1/(T-1) sum_{i=1}^{T-1} (R[T, i] - R[i, i]).

    Negative where the network forgot. Needs two tasks.

    >>> round(backward_transfer([[0.5, 0.5], [0.9, 0.6], [0.7, 0.8]]), 3)
    -0.2
    """
    R, T = _table(R, least=2)
    just_learned = R[1:].diagonal()
    return (R[T] - just_learned)[:-1].mean().item()


def forward_transfer(R) -> float:
    """How much earlier tasks help one that is still to come: 1/(T-1) sum_{i=2}^{T} (R[i-1, i] - R[0, i]).

    Needs two tasks, and row 0.

    >>> round(forward_transfer([[0.5, 0.5], [0.9, 0.6], [0.7, 0.8]]), 3)
    0.1
    """
    R, T = _table(R, least=2)
    just_before = R[1:T].diagonal(1)
    return (just_before - R[0, 1:]).mean().item()


def forgetting(R) -> float:
    """How far the tasks fell from their best: 1/(T-1) sum_{i=1}^{T-1} (max_{1<=l<T} R[l, i] - R[T, i]).

    Needs two tasks. (Chaudhry et al. 2018, arXiv:1801.10112)

    >>> round(forgetting([[0.5, 0.5], [0.9, 0.6], [0.7, 0.8]]), 3)
    0.2
    """
    R, T = _table(R, least=2)
    best = R[1:T].max(0).values
    return (best - R[T])[:-1].mean().item()


def gap_closed(R, low, high) -> float:
    """The share of the gap between two bounds that is closed: (A(R) - A(low)) / (A(high) - A(low)), A the accuracy.

    low, high: R tables of the bounds, fine-tuning and joint training say, with the same tasks and seed. 0 is as good as
    the lower bound, 1 as good as the upper; values beyond are possible. Raises ValueError where there is no gap.

    >>> round(gap_closed([[0.5], [0.8]], [[0.5], [0.6]], [[0.5], [0.9]]), 3)
    0.667
    """
    bottom, top = accuracy(low), accuracy(high)
    if not bottom < top:
        raise ValueError(
            f"the lower bound has accuracy {bottom:.3f}, the upper {top:.3f}: there is no gap to close"
        )
    return (accuracy(R) - bottom) / (top - bottom)


def each(metric, runs):
    """A metric of every run, (runs,), float64. metric: a function of R. runs: `Learned`s, as from several seeds.

    >>> from types import SimpleNamespace
    >>> each(accuracy, [SimpleNamespace(R=[[0.5], [0.9]]), SimpleNamespace(R=[[0.5], [0.8]])])
    tensor([0.9000, 0.8000], dtype=torch.float64)
    """
    return torch.tensor([metric(run.R) for run in runs], dtype=torch.float64)


def _table(R, least):
    """R as a float64 tensor and T, or a ValueError that says what shape was expected."""
    R = torch.as_tensor(R, dtype=torch.float64)
    if R.ndim != 2 or R.shape[0] != R.shape[1] + 1:
        raise ValueError(
            f"R has shape {tuple(R.shape)}, but it must be (T + 1, T): a row before training and one after each of "
            "the T tasks, a column for each task"
        )
    T = R.shape[1]
    if T < least:
        raise ValueError(
            f"this number compares tasks, so R needs at least {least}; it has {T}"
        )
    if R.isnan().any():
        raise ValueError(
            "R has entries that are not a number: fill in the whole table, row 0 included"
        )
    return R, T

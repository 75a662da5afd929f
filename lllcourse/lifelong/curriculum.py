"""Curriculum: measure what two tasks do to each other, and look for a good order of all of them.

Every pair of tasks is learned on its own, i and then j. Two questions are asked of each pair: did i prepare for j, and
was i kept? They are the forward and the backward transfer of chapter 03, for T = 2:

    forward[i, j] = R[1, j] - R[0, j],      backward[i, j] = R[2, i] - R[1, i]

An order of all tasks is then judged by its pairs, W being one of the two tables:

    score(order) = sum over i before j of  fade^(T - place of j) W[i, j],   places 1 to T

What the last task does to all others counts in full, what the one before it does only `fade` of that, since it was
trained over since; and so on. The order with the largest score is found exactly, from sets of tasks to larger sets: the
best order of a set ends with some task j, before which its other tasks stand in their best order. T tasks have 2^T
sets, and T! orders.

After Zamir, Sax, Shen, Guibas, Malik and Savarese 2018, "Taskonomy: disentangling task transfer learning"
(arXiv:1804.08328): measure the transfer between tasks first, then search on the table. They choose which tasks are to
help which, with much data and deep networks; here only the order is free. The exact search over sets is Held and Karp
1962, "A dynamic programming approach to sequencing problems" (Journal of the SIAM 10).
"""

from itertools import combinations, permutations

import torch

from .. import checks
from ..metrics import backward_transfer, forward_transfer
from ..tasks.scenarios import listed
from .method import learn

MOST = 16


def pairwise(make_method, make_model, tasks, *, on="validation", **settings):
    """The transfer between every two tasks: forward and backward, (T, T) each, i the row and j the column.

    make_method(), make_model(): a new one for each pair. settings: of `learn`; on: the split to measure on, since an
    order that is chosen by test images cannot be judged by them. The diagonals are 0. It trains T (T - 1) pairs; take
    the mean over several seeds before you trust a difference. Raises ValueError for fewer than two tasks.
    """
    tasks = two_or_more(tasks)
    T = len(tasks)
    forward, backward = torch.zeros(2, T, T, dtype=torch.float64)
    for i, j in permutations(range(T), 2):
        pair = [tasks[i], tasks[j]]
        R = learn(make_method(), make_model(), pair, on=on, **settings).R
        forward[i, j], backward[i, j] = forward_transfer(R), backward_transfer(R)
    return forward, backward


def two_or_more(tasks):
    """The tasks as a list, or a ValueError that says why there are not two."""
    T = len(tasks := listed(tasks))
    checks.require(T >= 2, f"there are {T} tasks; transfer is measured between two")
    return tasks


def score(order, W, fade=0.5) -> float:
    """The sum of fade ** (T - place of j) * W[i, j] over all i that come before j.

    order: the numbers 0 to T - 1. W: (T, T). fade: from 0 (only the last task counts; 0 ** 0 is 1) to 1 (all alike).

    >>> score([2, 0, 1], [[0, 1, 2], [3, 0, 4], [5, 6, 0]])  # W[2][0] / 2 + W[2][1] + W[0][1]
    9.5
    """
    check_fade(fade)
    pairs = combinations(enumerate(order, 1), 2)
    return float(
        sum(fade ** (len(order) - q) * W[i][j] for (_, i), (q, j) in pairs)
    )


def best_order(W, fade=0.5) -> list[int]:
    """The order of the tasks 0 to T - 1 with the largest `score`; which of equals is not said, but always the same.

    W: (T, T), T at most 16; the diagonal does not count. Raises ValueError for another shape, for entries that are not
    finite, and for a fade outside 0 to 1.
    """
    W = checked(W, fade)
    T = len(W)
    best = {(): (0.0, [])}  # of each set of tasks, as a sorted tuple: score, order
    for size in range(1, T + 1):
        # of the task that comes last in a set of this size
        weight = fade ** (T - size)
        for tasks in combinations(range(T), size):
            ends = []
            for j in tasks:
                before, order = best[tuple(i for i in tasks if i != j)]
                ends.append(
                    (before + weight * sum(W[i][j] for i in order), [*order, j])
                )
            best[tasks] = max(ends)
    return best[tuple(range(T))][1]


def checked(W, fade):
    """The table W as lists, or a ValueError that says what is wrong with it or with the fade."""
    check_fade(fade)
    W = torch.as_tensor(W, dtype=torch.float64)
    checks.require(
        W.shape == (len(W),) * 2 and 1 <= len(W) <= MOST,
        f"W has shape {tuple(W.shape)}; it must be (T, T) with 1 to {MOST} tasks, since all their sets are searched",
    )
    checks.require(
        W.isfinite().all(), "W has entries that are not finite; measure every pair"
    )
    return W.tolist()


def check_fade(fade):
    checks.require(0 <= fade <= 1, f"fade is {fade}; it must lie between 0 and 1")

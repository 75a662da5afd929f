"""A controller: of several settings of one network, exits or widths, the best one that the present budget can pay.

What each setting costs (multiply-accumulates) and how right it is are measured before, on validation images. Under a
budget B the controller takes

    argmax of accuracy over the settings with cost <= B.

Only settings on the frontier are ever taken: those that no other beats in both.
"""

import math

from .. import checks


def frontier(costs, accuracies) -> list:
    """The settings, by number, that no other setting equals or beats in both: rising in cost and in accuracy.

    costs, accuracies: (settings,). Of two that are equal in both, the first.

    >>> frontier([3, 1, 2, 4], [0.9, 0.7, 0.6, 0.9])
    [1, 0]
    """
    checks.require(
        len(costs) == len(accuracies),
        f"there are {len(costs)} costs and {len(accuracies)} accuracies; give one of each for every setting",
    )
    order = sorted(range(len(costs)), key=lambda k: (costs[k], -accuracies[k]))
    best, kept = -math.inf, []
    for k in order:
        if accuracies[k] > best:
            best = accuracies[k]
            kept.append(k)
    return kept


def choose(costs, accuracies, budget) -> int:
    """The number of the most accurate setting that costs no more than the budget, the cheapest one of equals.

    Raises ValueError, with the cheapest cost, where no setting is cheap enough.
    """
    paid = [k for k in frontier(costs, accuracies) if costs[k] <= budget]
    checks.require(
        len(paid) > 0,
        f"budget is {budget}; the cheapest setting costs {min(costs, default='nothing: there is none')}",
    )
    return paid[-1]


def fixed(costs, accuracies, budgets) -> int:
    """The best single setting for all budgets: the most accurate one that the smallest of them can pay."""
    return choose(costs, accuracies, min(budgets))


def daring(costs, accuracies, budgets, chance) -> int:
    """The best single setting if it may fail: where a budget cannot pay for it, it guesses, and is right by `chance`.

    chance: the share that a guess gets right, 0.1 for ten classes.
    """
    checks.share("chance", chance)

    def expected(k):
        paid = sum(costs[k] <= b for b in budgets)
        return paid * accuracies[k] + (len(budgets) - paid) * chance

    checks.require(
        len(costs) > 0 and len(budgets) > 0,
        "there is nothing to choose from, or nothing to pay",
    )
    return max(frontier(costs, accuracies), key=expected)

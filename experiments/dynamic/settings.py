"""One network with exits and widths, the set of networks that it stands for, and a controller under a falling budget.

{"adjustable": {"bytes": of its file, "settings": {"width 0.25, exit 1": its MACs and accuracies}}, "set": {the same
setting: bytes of a network for it alone, and for the last exits its accuracies when it was trained alone},
"controller": {"chosen": the setting of each batch of test images, by number, "accuracy"; "fixed" and "daring": the best
single setting, by the validation images, and what it gets}}.
"""

from lllcourse.compression.adjustable import Adjustable, all_settings, measured
from lllcourse.compression.controller import choose, daring, fixed
from lllcourse.compression.exits import ExitNet, alone
from lllcourse.compression.storage import written
from lllcourse.data import Split, digits

from ._runs import SEEDS, facts, train

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "channels": [8, 16, 32],
    "widths": [0.25, 0.5, 1.0],
    "epochs": 3,
    "budgets": [round(0.8**n, 4) for n in range(20)],  # of the MACs of the whole network; a batch of 50 for each
}


def run(seed, channels, widths, epochs, budgets) -> dict:
    data = digits()
    model = Adjustable(ExitNet(channels, seed=seed), data.train.x, widths)
    train(model, seed, epochs, all_settings)
    costs, validation = measured(model, data.validation)
    accuracies = measured(model, data.test)[1]
    names = [f"width {w:g}, exit {k + 1}" for w in widths for k in range(len(channels))]
    whole = zip(names, costs, validation, accuracies, strict=True)
    settings = {name: {"macs": c, "validation": v, "accuracy": a} for name, c, v, a in whole}
    return {
        "adjustable": {"bytes": len(written(model)), "settings": settings},
        "set": {
            f"width {w:g}, exit {k + 1}": single([round(w * c) for c in channels], k, seed, epochs)
            for w in widths
            for k in range(len(channels))
        },
        "controller": controlled(model, costs, validation, [share * max(costs) for share in budgets]),
    }


def single(channels, k, seed, epochs):
    """A network for one setting alone: its file, and what it reaches."""
    model = alone(ExitNet(channels, seed=seed), k)
    found = {"bytes": len(written(model))}
    if k < len(channels) - 1:
        return found
    train(model, seed, epochs)
    return found | facts(model)


def controlled(model, costs, validation, budgets):
    """A batch of test images for each budget: how many the controller gets right, and the best single settings."""
    test, size = digits().test, len(digits().test) // len(budgets)
    batches = [Split(test.x[at : at + size], test.y[at : at + size]) for at in range(0, size * len(budgets), size)]
    right = [measured(model, batch)[1] for batch in batches]  # (batches, settings)
    chosen = [choose(costs, validation, b) for b in budgets]
    found = {"chosen": chosen, "accuracy": mean(right[i][k] for i, k in enumerate(chosen))}
    found["fixed"] = single_setting(fixed(costs, validation, budgets), right, costs, budgets)
    found["daring"] = single_setting(daring(costs, validation, budgets, 0.1), right, costs, budgets)
    return found


def single_setting(k, right, costs, budgets):
    paid = [right[i][k] if costs[k] <= b else 0.1 for i, b in enumerate(budgets)]
    return {"setting": k, "accuracy": mean(paid)}


def mean(values):
    values = list(values)
    return sum(values) / len(values)

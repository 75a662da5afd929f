"""Early exits, of a plain network and of a multi-scale dense one, all exits trained together.

{network: {"macs": to each exit, "exits": {"1": validation and test accuracy}, "alone": the last exit where only it was
trained, "thresholds": {threshold: accuracies, mean MACs, how many test images leave at each exit, and the accuracy of
exits drawn at random at these rates}}}. "in full" (some seeds, the plain network): for each threshold a text with the
exit, 1, 2 or 3, at which each test image leaves, and the label that each exit gives it.
"""

import torch

from lllcourse.compression.exits import ExitNet, all_exits, first_sure, macs_to
from lllcourse.compression.multi_scale import MultiScaleNet
from lllcourse.data import digits

from ._runs import SEEDS, every, facts, share_right, train

__all__ = ["SEEDS", "SETTINGS", "run"]

NETWORKS = {"plain": ExitNet, "multi-scale": MultiScaleNet}
THRESHOLDS = [0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 1.01]
SETTINGS = {"networks": list(NETWORKS), "epochs": 4, "thresholds": THRESHOLDS, "in_full": [0]}


def run(seed, networks, epochs, thresholds, in_full) -> dict:
    data, found = digits(), {}
    for name in networks:
        model, last = NETWORKS[name](seed=seed), NETWORKS[name](seed=seed)
        train(model, seed, epochs, all_exits)
        train(last, seed, epochs)
        costs = macs_to(model, data.test.x)
        answers = {part: every(model, getattr(data, part)) for part in ("validation", "test")}
        found[name] = {"macs": costs.tolist(), "alone": facts(last), "exits": of_exits(answers, data)}
        found[name]["thresholds"] = {f"{t:g}": at_threshold(answers, data, costs, t, seed) for t in thresholds}
        if name == "plain" and seed in in_full:
            found[name]["in full"] = in_words(answers["test"], thresholds)
    return found


def of_exits(answers, data):
    return {
        str(k + 1): {
            "validation": share_right(answers["validation"][k].argmax(1), data.validation),
            "accuracy": share_right(answers["test"][k].argmax(1), data.test),
        }
        for k in range(len(answers["test"]))
    }


def at_threshold(answers, data, costs, threshold, seed):
    found = {}
    for part, accuracy, macs in (("validation", "validation", "validation macs"), ("test", "accuracy", "macs")):
        left, split = first_sure(answers[part], threshold), getattr(data, part)
        found |= {accuracy: share_right(taken(answers[part], left), split), macs: costs[left].double().mean().item()}
    drawn = left[torch.randperm(len(left), generator=torch.Generator().manual_seed(seed))]
    found["at random"] = share_right(taken(answers["test"], drawn), data.test)
    return found | {"left": left.bincount(minlength=len(costs)).tolist()}


def taken(answers, left):
    """The label of each example at the exit at which it leaves."""
    return torch.stack([z.argmax(1) for z in answers]).gather(0, left[None])[0]


def in_words(answers, thresholds):
    def text(numbers):
        return "".join(map(str, numbers.tolist()))

    return {
        "leaves": {f"{t:g}": text(first_sure(answers, t) + 1) for t in thresholds},
        "labels": [text(z.argmax(1)) for z in answers],
    }

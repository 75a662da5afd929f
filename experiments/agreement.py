"""How far five measures of importance agree about one network, and what two controls do that measure none of it.

What chapter 05 shows of it, beside the record `importances`: the tasks, the network and its training are the same. The
controls, `shuffled` and `inputs`, have a grid of lambda of their own, chosen on the validation images as there.
"""

from itertools import combinations

import torch
from scipy.stats import spearmanr

from lllcourse.lifelong.anchored import Anchored
from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.method import learn
from lllcourse.losses import cross_entropy
from lllcourse.models import MLP
from lllcourse.tasks import permuted

from ._anchored import ANCHORED
from .importances import SETTINGS as COMPARED
from .importances import facts

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = {name: COMPARED[name] for name in ("T", "sizes", "train")} | {
    "five": ["EWC", "SI", "MAS", "RWalk", "SCP"],
    "lams": {"shuffled": [1, 3, 10, 30], "inputs": [0.01, 0.03, 0.1, 0.3]},
}


class Shuffled(EWC):
    """EWC's importances, each tensor in a random order: as many as large, and of the wrong weights."""

    def measure(self, model, task, active):
        draw = torch.Generator().manual_seed(self.seed)
        measured = super().measure(model, task, active)
        orders = [torch.randperm(b.numel(), generator=draw) for b in measured]
        return [b.flatten()[order].view_as(b) for b, order in zip(measured, orders, strict=True)]


class Inputs(Anchored):
    """A weight is as important as its input is large: the mean square of what it is multiplied with."""

    @torch.no_grad()
    def measure(self, model, task, active):
        h, found = task.train.x, []
        for layer in model.layers:
            square = h.square().mean(0)
            found += [square.expand_as(layer.weight), torch.ones_like(layer.bias)]
            h = layer(h).relu()
        return found


CONTROLS = {"shuffled": Shuffled, "inputs": Inputs}


def run(seed, T, sizes, train, five, lams) -> dict:
    """After task A: rank correlations, and SI's parts of the fall of the loss; the facts of each control and lambda."""
    tasks = permuted(T, seed)
    found = {"first": {}, "last": {}, "brightness": {}}
    measured = {}
    for name in five:
        method, model = ANCHORED[name](1.0), MLP(*sizes, seed=seed)
        learn(method, model, tasks[:1], seed=seed, **train)
        measured[name] = method.importance
        if name == "SI":
            data = tasks[0].train
            losses = [cross_entropy(one, data.x, data.y).item() for one in (MLP(*sizes, seed=seed), model)]
            found["fall"] = losses[0] - losses[1]
            found["omega"] = sum(w.sum().item() for w in method.omega)
    for layer, index in (("first", 0), ("last", -2)):
        for a, b in combinations(five, 2):
            found[layer][f"{a} and {b}"] = ranks(measured[a][index], measured[b][index])
    for name in five:
        pixels = measured[name][0].sum(0)
        found["brightness"][name] = ranks(pixels, tasks[0].train.x.square().mean(0))
    for name, values in lams.items():
        found[name] = {}
        for lam in values:
            learned = learn(CONTROLS[name](lam), MLP(*sizes, seed=seed), tasks, seed=seed, **train)
            found[name][f"{lam:g}"] = facts(learned, tasks)
    return found


def ranks(a, b):
    """Spearman's rank correlation of two tensors' entries."""
    return float(spearmanr(a.flatten(), b.flatten()).statistic)

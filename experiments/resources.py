"""Weights of their own: every method that allocates resources on permuted tasks, and PackNet until it runs out.

What chapter 07 shows of it. Where PackNet and CPG train for `epochs` and once more for `again` after pruning, all
others get the sum (CPG trains `again` each time that it grows, too: "epochs" counts). Settings are compared on the
validation images; test images give the report.
"""

import math
import time

import torch

from lllcourse import metrics, training
from lllcourse.lifelong.cpg import CPG, cut
from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.method import Method, learn, nbytes
from lllcourse.lifelong.packnet import FREE, PackNet
from lllcourse.lifelong.progressive import Progressive, ProgressiveMLP
from lllcourse.lifelong.separate_models import separate
from lllcourse.models import MLP
from lllcourse.tasks import permuted

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = {
    "T": 5,
    "sizes": [784, 100, 100, 10],
    "small": [784, 20, 20, 10],
    "epochs": 5,
    "again": 2,
    "calm": 0.01,  # a learning rate for the last epochs, a tenth of the usual one
    "lams": [0.3, 1, 3, 10, 30],
    "keeps": [0.125, 0.25, 0.5],
    "target": 0.9,
    "cpg_keeps": [0.25, 0.5],
    "ablated": 0.25,
    "many": 6,
}


class RandomPicks(CPG):
    """CPG whose masks are not learned but drawn: each layer's with the share of old weights that `shares` tells.

    shares: for each task after the first, a dict from the name of a weight to a number in [0, 1].
    """

    def __init__(self, shares, keep, target, seed=0, **settings):
        super().__init__(keep, target, pick="all", seed=seed, **settings)
        self.shares = shares
        # not the seed of the network: with the same draws the mask would follow its initial weights
        self.draws = torch.Generator().manual_seed(999_000 + seed)

    def before_task(self, model, task):
        super().before_task(model, task)
        for name, s in self.scores.items():
            draws = torch.rand(s.shape, generator=self.draws).to(s.device)
            off = draws >= self.shares[self.asked - 2][name]
            s.data[off] = -s.data[off]


class FreshWeights(CPG):
    """CPG that picks nothing, with the free weights drawn afresh: pruning left them at zero, and a network that is zero
    throughout cannot start to learn.
    """

    def __init__(self, keep, target, seed=0, **settings):
        super().__init__(keep, target, pick="none", seed=seed, **settings)
        self.draws = torch.Generator().manual_seed(998_000 + seed)

    @torch.no_grad()
    def before_task(self, model, task):
        with torch.enable_grad():
            super().before_task(model, task)
        for name, p in self.parameters(model).items():
            if self.learned and p.ndim > 1:
                bound = p.shape[1] ** -0.5
                drawn = torch.empty(p.shape).uniform_(-bound, bound, generator=self.draws)
                p.copy_(torch.where(self.owner[name] == FREE, drawn.to(p), p))
        self.train_only(model, FREE)


def shares_of(cpg):
    """The share of the old weights that each task after the first picked, by layer, as `RandomPicks` takes it."""
    return [
        {
            name: (picked.sum() / is_old(cpg.owner[name], picked, k).sum()).item()
            for name, picked in cpg.picks[k - 1].items()
        }
        for k in range(2, len(cpg.picks) + 1)
    ]


def is_old(owner, picked, k):
    owner = cut(owner, picked.shape)
    return (owner > 0) & (owner < k)


def run(
    seed,
    T,
    sizes,
    small,
    epochs,
    again,
    calm,
    lams,
    keeps,
    target,
    cpg_keeps,
    ablated,
    many,
) -> dict:
    """What `facts` tells of every method; which shares CPG picked (`shares_of`) at keep `ablated`, where its masks are
    compared with others; and, for two networks and keeps, PackNet's accuracy on each of `many` tasks at the end.
    """
    tasks = permuted(T, seed)
    how = {"scenario": "task", "seed": seed}
    long, short = how | {"epochs": epochs + again}, how | {"epochs": epochs}
    pruned = {"retrain_epochs": again, "seed": seed}

    def measure(method, model, settings=long, joint=False):
        learned = learn(method, model, tasks, joint=joint, **settings)
        return facts(learned, on_validation(method, model, tasks))

    def apart(sizes, settings=long, calm=None):
        number = iter(range(1, T + 1))
        learned = separate(lambda: MLP(*sizes, seed=1000 * seed + next(number)), tasks, **settings)
        pairs = list(enumerate(zip(learned.model, tasks, strict=True)))
        for j, (model, task) in pairs if calm else ():
            start = time.process_time()
            training.train(model, task.train, epochs=again, lr=calm, seed=seed)
            learned.cpu_seconds[j] += time.process_time() - start
            learned.R[j + 1 :, j] = training.evaluate(model, task.test)
        validation = [training.evaluate(m, t.validation) for _, (m, t) in pairs]
        return facts(learned, sum(validation) / T)

    def cpg(method):
        train_again, times = method.train_again, []

        def counted(*arguments):
            times.append(again)
            train_again(*arguments)

        method.train_again = counted
        found = measure(method, MLP(*small, seed=seed), short)
        grown = [sum(map(math.prod, shapes.values())) for shapes in method.shapes]
        return found | {"grown": grown, "epochs": T * epochs + sum(times)}

    five = {
        "fine-tuning": measure(Method(), MLP(*sizes, seed=seed)),
        "joint": measure(Method(), MLP(*sizes, seed=seed), joint=True),
        "separate": apart(sizes),
        "separate, small": apart(small),
        "separate, fewer epochs": apart(sizes, short),
        "separate, calm end": apart(sizes, short, calm),
        "separate, small, calm end": apart(small, short, calm),
        "progressive": measure(Progressive(), ProgressiveMLP(*sizes, seed=seed)),
    }
    for lam in lams:
        five[f"EWC {lam:g}"] = measure(EWC(lam), MLP(*sizes, seed=seed))
    for keep in keeps:
        method = PackNet(keep, **pruned)
        five[f"PackNet {keep:g}"] = measure(method, MLP(*sizes, seed=seed), short)
    for keep in cpg_keeps:
        learned = CPG(keep, target, **pruned)
        five[f"CPG {keep:g}"] = cpg(learned)
        if keep == ablated:
            shares = shares_of(learned)
            drawn = RandomPicks(shares, keep, target, **pruned)
            five[f"CPG {keep:g}, random"] = cpg(drawn)
            everything = CPG(keep, target, pick="all", **pruned)
            five[f"CPG {keep:g}, all"] = cpg(everything)
            nothing = FreshWeights(keep, target, **pruned)
            five[f"CPG {keep:g}, none"] = cpg(nothing)

    more = permuted(many, seed)
    until = {}
    for layers in (sizes, small):
        name = "-".join(map(str, layers))
        until[name] = {
            f"{keep:g}": learn(
                PackNet(keep, **pruned), MLP(*layers, seed=seed), more, **short
            ).R[-1].tolist()
            for keep in keeps[1:]
        }  # fmt: skip
    return {"five": five, "picked": shares, "many": until}


def facts(learned, validation):
    """Accuracy, backward transfer, the parameters of all networks together, the bytes of everything that is kept (the
    networks in float32 too) and the CPU seconds of training.
    """
    model = learned.model
    if isinstance(model, list):
        model = torch.nn.ModuleList(model)
    # what separate and progressive networks keep are weights, and counted once
    many = isinstance(model, (torch.nn.ModuleList, ProgressiveMLP))
    return {
        "accuracy": metrics.accuracy(learned.R),
        "validation": validation,
        "backward_transfer": metrics.backward_transfer(learned.R),
        "tasks": learned.R[-1].tolist(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "bytes": nbytes(*model.parameters()) + (0 if many else learned.storage),
        "cpu_seconds": round(sum(learned.cpu_seconds), 2),
    }


def on_validation(method, model, tasks):
    accuracies = []
    for number, task in enumerate(tasks, 1):
        method.asked = number
        part = task.validation
        accuracies.append(training.evaluate(model, part, predict=method.predict))
    return sum(accuracies) / len(tasks)

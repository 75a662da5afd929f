"""Weights of their own: every method that allocates resources on permuted tasks, and PackNet until it runs out.

What chapter 07 shows of it. All methods train on equal terms: each task for `epochs` and for `again` more, in which
those that prune train what they kept; then for a last epoch with the step size `calm`, since with the usual one the
accuracy jumps to the end. (CPG trains `again` and a last epoch each time that it grows, too: "epochs" counts.) Every
training has an order of the examples of its own. Settings are compared on the validation images; test images give the
report.
"""

import math
import time

import torch

from lllcourse import metrics, training
from lllcourse.data import concatenate
from lllcourse.lifelong.cpg import CPG, cut
from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.method import Method, learn
from lllcourse.lifelong.packnet import FREE, PackNet
from lllcourse.lifelong.progressive import Progressive, ProgressiveMLP
from lllcourse.lifelong.recorder import Learned, nbytes
from lllcourse.lifelong.separate_models import separate
from lllcourse.models import MLP
from lllcourse.settings import PERMUTED
from lllcourse.tasks import permuted

SEEDS = (0, 1, 2)
SETTINGS = {
    "T": PERMUTED["T"],
    "sizes": PERMUTED["sizes"],
    "small": [784, 20, 20, 10],
    "epochs": PERMUTED["train"]["epochs"],
    "again": 1,
    "calm": 0.01,  # a tenth of the usual step size
    "lams": [1, 3, 10],
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


def calmly(method, calm, seed):
    """The same method, of which every training ends with an epoch at the step size `calm`, by its own rules."""

    def last_epoch(model, task, active):
        usual, method.step_size = method.step_size, calm
        if isinstance(method, EWC):
            method.before_task(model, task)  # its pull is as long as the step
        training.train(
            model,
            task.train,
            active=active,
            epochs=1,
            lr=calm,
            seed=order(seed, method.asked),
            loss=method.loss,
            after_gradient=method.after_gradient,
            after_step=method.after_step,
        )
        method.step_size = usual

    if isinstance(method, PackNet):  # trains last when it has pruned
        method.train_again = in_turn(method.train_again, last_epoch)
    else:
        method.after_task = in_turn(last_epoch, method.after_task)
    return method


def in_turn(*functions):
    def both(*arguments):
        for function in functions:
            function(*arguments)

    return both


def order(seed, number):
    """Of the last epoch of task `number`: not the order of its first one."""
    return 500_000 + 1000 * seed + number


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
    """What `facts` tells of every method, by setting where there are several. "masks": others than CPG's own at keep
    `ablated`, which left the shares "picked" on (`shares_of`). "many": for two networks and keeps, PackNet's accuracy
    on each of so many tasks at the end.
    """
    tasks = permuted(T, seed)
    how = {"scenario": "task", "seed": seed}
    long, short = how | {"epochs": epochs + again}, how | {"epochs": epochs}
    pruned = {"retrain_epochs": again, "seed": seed}
    a_task = epochs + again + 1

    def measure(method, model, settings=long):
        method = calmly(method, calm, seed)
        learned = learn(method, model, tasks, **settings)
        return facts(learned, on_validation(method, model, tasks), T * a_task)

    def apart(sizes):
        number = iter(range(1, T + 1))
        learned = separate(lambda: MLP(*sizes, seed=1000 * seed + next(number)), tasks, **long)
        pairs = list(zip(learned.model, tasks, strict=True))
        for j, (model, task) in enumerate(pairs):
            start = time.process_time()
            training.train(model, task.train, epochs=1, lr=calm, seed=order(seed, j + 1))
            learned.cpu_seconds[j] += time.process_time() - start
            learned.R[j + 1 :, j] = training.evaluate(model, task.test)
        validation = [training.evaluate(m, task.validation) for m, task in pairs]
        return facts(learned, sum(validation) / T, T * a_task)

    def together():
        start, model = time.process_time(), MLP(*sizes, seed=seed)
        data = concatenate(task.train for task in tasks)
        training.train(model, data, epochs=epochs + again, seed=1000 * seed + T)
        training.train(model, data, epochs=1, lr=calm, seed=order(seed, T))
        seconds = time.process_time() - start
        R = torch.zeros(T + 1, T, dtype=torch.float64)
        for j, task in enumerate(tasks):
            R[1:, j] = training.evaluate(model, task.test)
        old = sum(nbytes(t.train.x, t.train.y) for t in tasks[:-1])
        learned = Learned(R, model, cpu_seconds=[seconds], storage=old)
        return facts(learned, on_validation(Method(), model, tasks), T * a_task)

    def cpg(method):
        train_again, times = method.train_again, []

        def counted(*arguments):
            times.append(again + 1)
            train_again(*arguments)

        method.train_again = counted
        found = measure(method, MLP(*small, seed=seed), short)
        grown = [sum(map(math.prod, shapes.values())) for shapes in method.shapes]
        return found | {"grown": grown, "epochs": T * epochs + sum(times)}

    result = {
        "fine-tuning": measure(Method(), MLP(*sizes, seed=seed)),
        "joint": together(),
        "separate": apart(sizes),
        "separate, small": apart(small),
        "progressive": measure(Progressive(), ProgressiveMLP(*sizes, seed=seed)),
        "EWC": {f"{lam:g}": measure(EWC(lam), MLP(*sizes, seed=seed)) for lam in lams},
        "PackNet": {
            f"{keep:g}": measure(PackNet(keep, **pruned), MLP(*sizes, seed=seed), short) for keep in keeps
        },
        "CPG": {},
    }  # fmt: skip
    for keep in cpg_keeps:
        learned = CPG(keep, target, **pruned)
        result["CPG"][f"{keep:g}"] = cpg(learned)
        if keep == ablated:
            result["picked"] = shares_of(learned)
            masks = {
                "random": RandomPicks(result["picked"], keep, target, **pruned),
                "all": CPG(keep, target, pick="all", **pruned),
                "none": FreshWeights(keep, target, **pruned),
            }
            result["masks"] = {name: cpg(method) for name, method in masks.items()}

    more = permuted(many, seed)

    def until_full(layers, keep):
        method = calmly(PackNet(keep, **pruned), calm, seed)
        return learn(method, MLP(*layers, seed=seed), more, **short).R[-1].tolist()

    nets = {"-".join(map(str, layers)): layers for layers in (sizes, small)}
    result["many"] = {
        name: {f"{keep:g}": until_full(layers, keep) for keep in keeps[1:]} for name, layers in nets.items()
    }
    return result


def facts(learned, validation, epochs):
    """Accuracy, backward transfer, the parameters of all networks together, the bytes of everything that is kept (the
    networks in float32 too), the epochs of all tasks together and the CPU seconds of training.
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
        "epochs": epochs,
        "cpu_seconds": round(sum(learned.cpu_seconds), 2),
    }


def on_validation(method, model, tasks):
    accuracies = []
    for number, task in enumerate(tasks, 1):
        method.asked = number
        part = task.validation
        accuracies.append(training.evaluate(model, part, predict=method.predict))
    return sum(accuracies) / len(tasks)

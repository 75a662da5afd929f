"""EWC and the plain anchor, from weak to infinitely strong, on three permuted tasks: what chapter 04 shows of them.

Beside the tables R it has two facts of the weights. How far fine-tuning and EWC move them while B and C are learned, by
tenths, from the least to the most important for A. And how well the importance of single weights foretells the order of
the second differences of the loss on A, after A alone. Lambda is chosen on the validation images, over all seeds.
"""

from copy import deepcopy

import torch
from scipy.stats import spearmanr

from lllcourse import training
from lllcourse.lifelong import ewc
from lllcourse.lifelong.l2 import L2
from lllcourse.lifelong.method import Method
from lllcourse.lifelong.seeds import learn_seeds
from lllcourse.losses import cross_entropy
from lllcourse.models import MLP
from lllcourse.settings import PERMUTED
from lllcourse.tasks import permuted

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = PERMUTED | {
    "T": 3,
    "train": {"epochs": 10, "batch_size": 64, "lr": 0.15},
    "lams": {"EWC": [1, 10, 100, 1000, "inf"], "L2": [0.003, 0.01, 0.1]},
    "images": 1000,  # of A, on which the second differences are taken,
    "entries": 8,  # for so many entries of each tensor,
    "shift": 0.1,  # over so far a shift
}
METHODS = {"EWC": ewc.EWC, "L2": L2}


def run_seeds(seeds, T, sizes, train, lams, images, entries, shift) -> list[dict]:
    """For each seed, and for fine-tuning, joint training and every method and lambda: R and more (see `facts`); and
    "curvature", the rank correlation. All seeds are trained together.
    """
    tasks = {seed: permuted(T, seed) for seed in seeds}

    def learned(make_method, tasks_of=tasks.get, **how):
        def network(seed):
            return MLP(*sizes, seed=seed)

        return learn_seeds(make_method, network, tasks_of, seeds, **how, **train)

    first = [run.model for run in learned(Method, lambda seed: tasks[seed][:1])]
    important = [ewc.importance(model, tasks[seed][0].train.x) for seed, model in zip(seeds, first, strict=True)]

    def measure(make_method, moved=True, **how):
        runs = zip(seeds, learned(make_method, **how), first, important, strict=True)
        return [
            facts(run, tasks[seed]) | ({"moved": movement(model, run.model, b)} if moved else {})
            for seed, run, model, b in runs
        ]

    found = {
        ("fine-tuning",): measure(Method),
        ("joint training",): measure(Method, moved=False, joint=True),
    }
    for name, values in lams.items():
        for lam in values:
            way = name, f"{float(lam):g}"
            found[way] = measure(lambda name=name, lam=lam: METHODS[name](float(lam)), moved=name == "EWC")
    results = [
        {"curvature": curvature(model, tasks[seed][0].train[:images], entries, shift, seed)}
        for seed, model in zip(seeds, first, strict=True)
    ]
    for (name, *lam), runs in found.items():
        for result, run in zip(results, runs, strict=True):
            if lam:
                result.setdefault(name, {})[lam[0]] = run
            else:
                result[name] = run
    return results


def facts(run, tasks):
    """R, and the accuracy at the end on the validation images of all tasks."""
    validation = [training.evaluate(run.model, task.validation) for task in tasks]
    return {"R": run.R.round(decimals=4).tolist(), "validation": round(sum(validation) / len(tasks), 4)}


def movement(before, after, importance):
    """The root mean square movement of each tenth of the weights, from the least to the most important."""
    order = torch.cat([b.flatten() for b in importance]).argsort()
    steps = torch.cat(
        [(new - old).detach().flatten() for old, new in zip(before.parameters(), after.parameters(), strict=True)]
    )
    return [round(tenth.square().mean().sqrt().item(), 6) for tenth in steps[order].chunk(10)]


@torch.no_grad()
def curvature(model, data, entries, shift, seed):
    """The rank correlation of importance and second difference, over some entries of every tensor of weights."""
    model, x, draw, pairs = deepcopy(model).double(), data.x.double(), torch.Generator().manual_seed(seed), []
    with torch.enable_grad():
        measured = ewc.importance(model, x)
    for weights, b in zip(model.parameters(), measured, strict=True):
        flat = weights.view(-1)
        for index in torch.randperm(b.numel(), generator=draw)[:entries].tolist():
            start, losses = flat[index].item(), []
            for way in (-shift, 0, shift):
                flat[index] = start + way
                losses.append(cross_entropy(model, x, data.y).item())
            flat[index] = start
            second = (losses[0] - 2 * losses[1] + losses[2]) / shift**2
            pairs.append([b.flatten()[index].item(), second])
    return round(float(spearmanr(*torch.tensor(pairs).T).statistic), 4)

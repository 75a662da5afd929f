"""What it costs to forget nothing: a network for every task, joint training with few steps, and a second task that is
poor, met by a network that starts from nothing or by one that has learned task 1.

What chapter 02 shows of it, beside fine-tuning and joint training of `memory/bounds`. A poor task has few images, none
of them among those of task 1. On so few, plain gradient descent is still on its way after 40 epochs, and whatever was
trained before has a head start, even on a task that has nothing to do with the new one. So poor tasks, and the task 1
before them, are learned with Adam, of which 20 and 40 epochs gave nearly the same on the validation images of seeds 10
to 12.
"""

from copy import deepcopy
from dataclasses import replace

import torch

from lllcourse import metrics
from lllcourse.data import concatenate
from lllcourse.lifelong.separate_models import separate
from lllcourse.models import MLP
from lllcourse.settings import PERMUTED
from lllcourse.tasks import permuted, rotated
from lllcourse.training import evaluate, train

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = {"long": PERMUTED} | {
    "adam": {"optimizer": "adam", "lr": 0.003, "batch_size": 32},
    "epochs": [5, 30],  # on task 1, on a poor task
    "angle": 30,
    "images": [50, 100, 200, 400],  # of task 2
    "hundred": 100,
    "turns": [20, 40, 60],
}


def run(seed, long, adam, epochs, angle, images, hundred, turns) -> dict:
    """Accuracies on test images. "separate", "separate, longer" and "joint, as few steps": as `longer` says. "turned",
    "permuted": of task 2, by its number of images, with the accuracy on task 1 before and after. "both": with `hundred`
    images, trained on the two tasks together. "same": the accuracy on task 2 if its images, upright, were in task 1.
    "copies": on poor tasks turned further and further, by what a network starts from.
    """

    def small():
        return MLP(*long["sizes"], seed=seed)

    def learned(model, split, epochs):
        model = deepcopy(model)
        train(model, split, epochs=epochs, seed=seed, **adam)
        return model

    once, again = epochs
    pairs = {"turned": rotated([0, angle]), "permuted": permuted(2, seed)}
    result = longer(small, seed, **long)
    for name, pair in pairs.items():
        first, poor = poor_second_task(pair, seed, images)
        veteran, result[name] = learned(small(), first.train, once), {}
        for n, task in poor.items():
            scratch, after = (learned(m, task.train, again) for m in (small(), veteran))
            result[name][str(n)] = {
                "from scratch": evaluate(scratch, task.test),
                "after task 1": evaluate(after, task.test),
                "task 1 before": evaluate(veteran, first.test),
                "task 1 after": evaluate(after, first.test),
            }
        if name == "permuted":
            continue

        task, times = poor[hundred], len(first.train) // hundred
        pooled = concatenate([first.train, *[task.train] * times])
        both = learned(veteran, pooled, once)
        result["both"] = {"task 1": evaluate(both, first.test), "task 2": evaluate(both, task.test)}

        upright = poor_second_task((pair[0], pair[0]), seed, [hundred])[1][hundred].train
        mixed = concatenate([upright, first.train[hundred:]])
        knows = learned(learned(small(), mixed, once), task.train, again)
        result["same"] = evaluate(knows, task.test)

        order, starts = order_of(seed), {}
        for start in ("nothing", "the upright one", "the last one"):
            last, starts[start] = veteran, []
            for i, task in enumerate(rotated(turns)):
                few = task.train[order[hundred * i :][:hundred]]
                begin = {"nothing": small(), "the upright one": veteran, "the last one": last}[start]
                last = learned(begin, few, again)
                starts[start].append(evaluate(last, task.test))
        result["copies"] = {
            start: {str(turn): score for turn, score in zip(turns, scores, strict=True)}
            for start, scores in starts.items()
        }
    return result


def longer(small, seed, T, sizes, train) -> dict:
    """What the sequence of permuted tasks needs beyond `memory/bounds`: separate networks, with the usual epochs and
    with so many that they go through as many images as joint training does, all tasks together; and `few_steps`.
    """
    tasks = permuted(T, seed)
    apart = separate(small, tasks, seed=seed, **train)
    more = train | {"epochs": train["epochs"] * (T + 1) // 2}
    R = apart.R
    return {
        "separate": {
            "accuracy": metrics.accuracy(R),
            "after": [row[:t].mean().item() for t, row in enumerate(R) if t],
            "storage": apart.storage,
        },
        "separate, longer": metrics.accuracy(separate(small, tasks, seed=seed, **more).R),
        "joint, as few steps": few_steps(small(), tasks, seed, **train),
    }


def few_steps(model, tasks, seed, epochs, **how):
    """Joint training on as many images as fine-tuning goes through, drawn at random from all tasks so far."""
    draw = torch.Generator().manual_seed(seed)
    for i in range(1, len(tasks) + 1):
        pool = concatenate(task.train for task in tasks[:i])
        n = epochs * len(tasks[0].train)
        picks = torch.randint(len(pool), (n,), generator=draw)
        train(model, pool[picks], epochs=1, seed=seed, **how)
    return sum(evaluate(model, task.test) for task in tasks) / len(tasks)


def order_of(seed):
    return torch.randperm(3500, generator=torch.Generator().manual_seed(seed))


def poor_second_task(pair, seed, images):
    """Task 1 with 2,500 images, and task 2 with few of the thousand others: {images: task}."""
    order, (first, second) = order_of(seed), pair
    first = replace(first, train=first.train[order[1000:]])
    return first, {n: replace(second, train=second.train[order[:n]]) for n in images}

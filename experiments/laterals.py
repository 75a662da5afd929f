"""What the lateral connections of a progressive network carry, on few images of tasks that are alike.

What chapter 07 shows of it: three tasks of noisy digits and three of turned ones, a hundred images of each, other
images for every task and seed. Four ways to learn the later tasks: a column of its own; one that reads the old columns;
one that reads columns which were never trained; and a copy of the network before, trained on.
"""

from dataclasses import replace

from lllcourse.lifelong.method import Method, learn
from lllcourse.lifelong.progressive import Progressive, ProgressiveMLP
from lllcourse.models import MLP
from lllcourse.settings import PERMUTED
from lllcourse.tasks import noisy_then_clean, rotated

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = {
    "sizes": PERMUTED["sizes"],
    "images": 100,
    "train": {"epochs": 60, "batch_size": 32, "lr": 0.1},
    "shares": [0, 0.3, 0.6],  # of the pixels that are noise
    "angles": [0, 30, 60],
}


def run(seed, sizes, images, train, shares, angles) -> dict:
    """{sequence: {way: the mean accuracy on the tasks after the first, each just after it was learned}}."""
    sequences = {
        "noise": [noisy_then_clean(seed, share)[0] for share in shares],
        "rotated": rotated(angles),
    }
    how = train | {"scenario": "task", "seed": seed}
    found = {}
    for name, tasks in sequences.items():
        tasks = few(tasks, images, seed)
        found[name] = {
            "separate": later(learn(Progressive(), columns(sizes, seed, laterals=False), tasks, **how)),
            "untrained columns": on_untrained(tasks, sizes, seed, how),
            "laterals": later(learn(Progressive(), columns(sizes, seed), tasks, **how)),
            "copies": later(learn(Method(), MLP(*sizes, seed=1000 * seed + 1), tasks, **how)),
        }
    return found


def few(tasks, n, seed):
    """The tasks with n training images each, none of which another task or seed has."""
    firsts = (n * (len(tasks) * seed + k) for k in range(len(tasks)))
    return [replace(task, train=task.train[i : i + n]) for task, i in zip(tasks, firsts, strict=True)]


def columns(sizes, seed, laterals=True):
    return ProgressiveMLP(*sizes, laterals=laterals, seed=seed)


def later(learned):
    return learned.R[1:].diagonal()[1:].mean().item()


def on_untrained(tasks, sizes, seed, how):
    """A column for each later task that reads as many others as it would have, frozen as they were drawn."""
    accuracies = []
    for k, task in enumerate(tasks[1:], 1):
        net = columns(sizes, seed)
        for _ in range(k):
            net.requires_grad_(False)
            net.grow()
        accuracies.append(learn(Method(), net, [task], **how).R[1, 0].item())
    return sum(accuracies) / len(accuracies)

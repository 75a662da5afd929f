"""How much old data it takes: GEM, A-GEM and replay with more and more images of each of five permuted tasks.

What chapter 06 shows of it. Replay's reservoir has room for as many images in all as the others keep of all tasks
together; as a control, replay runs with as many of each task, too. Margins of GEM and lambdas of EWC, which keeps no
image, are compared on the validation images; test images give the report.
"""

from dataclasses import replace

import torch

from lllcourse import metrics, training
from lllcourse.lifelong.agem import AGEM
from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.gem import GEM
from lllcourse.lifelong.method import Method, learn
from lllcourse.lifelong.replay import Replay
from lllcourse.models import MLP
from lllcourse.tasks import permuted

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = {
    "T": 5,
    "sizes": [784, 100, 100, 10],
    "train": {"epochs": 5, "batch_size": 32, "lr": 0.1},
    "memories": [5, 25, 100],  # images kept of each task
    "batch": 32,  # old images a step, for A-GEM and replay
    "margins": [0, 0.5],
    "lams": [1, 3, 10],
}


class ReplayOfEach(Replay):
    """Replay that keeps so many images of each task, as GEM does. Its reservoir never has to let one go."""

    def __init__(self, memory, T, batch, seed):
        super().__init__(memory * T, batch, seed)
        self.each, self.choice = memory, torch.Generator().manual_seed(seed)

    def after_task(self, model, task, active):
        order = torch.randperm(len(task.train), generator=self.choice)
        few = task.train[order[: self.each]]
        super().after_task(model, replace(task, train=few), active)


def run(seed, T, sizes, train, memories, batch, margins, lams) -> dict:
    """What `facts` tells of the bounds, of EWC by lambda, and of each method by the images that it keeps of a task."""
    tasks = permuted(T, seed)

    def measure(method, joint=False):
        model = MLP(*sizes, seed=seed)
        learned = learn(method, model, tasks, joint=joint, seed=seed, **train)
        return facts(learned, tasks)

    makers = {f"GEM, margin {m:g}": lambda n, m=m: GEM(n, m, seed) for m in margins}
    makers["A-GEM"] = lambda n: AGEM(n, batch, seed)
    makers["replay"] = lambda n: Replay(n * T, batch, seed)
    makers["replay, of each"] = lambda n: ReplayOfEach(n, T, batch, seed)
    return {
        "fine-tuning": measure(Method()),
        "joint training": measure(Method(), joint=True),
        "EWC": {f"{lam:g}": measure(EWC(lam)) for lam in lams},
    } | {name: {str(n): measure(make(n)) for n in memories} for name, make in makers.items()}


def facts(learned, tasks):
    """Accuracies at the end, on validation and test images; backward transfer; the mean over the tasks seen so far
    after each ("after"); the bytes kept; the CPU seconds of training on the last task, when most is old.
    """
    validation = [training.evaluate(learned.model, t.validation) for t in tasks]
    seen = [row[:t].mean().item() for t, row in enumerate(learned.R) if t]
    return {
        "validation": sum(validation) / len(tasks),
        "accuracy": metrics.accuracy(learned.R),
        "backward_transfer": metrics.backward_transfer(learned.R),
        "after": seen,
        "storage": learned.storage,
        "cpu_seconds": round(learned.cpu_seconds[-1], 2),
    }

"""Replay by the images that it keeps: its reservoir has room for as many in all as GEM keeps of all tasks together.

As a control, replay runs with as many of each task, too.
"""

from dataclasses import replace

import torch

from lllcourse.lifelong.replay import Replay
from lllcourse.settings import PERMUTED
from lllcourse.tasks import permuted

from ._runs import BATCH, MEMORIES, SEEDS, measure

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = PERMUTED | {"memories": MEMORIES, "batch": BATCH}


class ReplayOfEach(Replay):
    """Replay that keeps so many images of each task, as GEM does. Its reservoir never has to let one go."""

    def __init__(self, memory, T, batch, seed):
        super().__init__(memory * T, batch, seed)
        self.each, self.choice = memory, torch.Generator().manual_seed(seed)

    def after_task(self, model, task, active):
        order = torch.randperm(len(task.train), generator=self.choice)
        few = task.train[order[: self.each]]
        super().after_task(model, replace(task, train=few), active)


def run(seed, T, sizes, train, memories, batch) -> dict:
    """For each method {images kept of each task: what `facts` tells}."""
    tasks = permuted(T, seed)
    makers = {
        "replay": lambda n: Replay(n * T, batch, seed),
        "replay, of each": lambda n: ReplayOfEach(n, T, batch, seed),
    }
    return {
        name: {str(n): measure(make(n), tasks, seed, sizes, train) for n in memories} for name, make in makers.items()
    }

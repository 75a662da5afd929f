"""What `learn` measures on the way, and what it returns."""

import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .. import training
from ..data import concatenate
from ..tasks.scenarios import active_outputs


@dataclass
class Learned:
    """What `learn` returns.

    R: (T + 1, T), accuracies; row 0 before any training, row i after task i, column j - 1 for task j.
    seconds, cpu_seconds: of the training on each task, a list of T floats; evaluation and watching do not count.
    examples: how many of the data's examples each task's training went through, every epoch counted, a list of T ints.
    storage: the bytes kept from one task to the next besides the model (for joint training: the old data).
    steps: at which steps, counted over all tasks, curve and watched were taken; (points,) and empty if not asked for.
    curve: (points, T), the accuracy on every task. watched: what `watch` returned, a list.
    """

    R: Tensor
    model: nn.Module
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    examples: list[int] = field(default_factory=list)
    storage: int = 0
    steps: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    curve: Tensor | None = None
    watched: list = field(default_factory=list)


class Recorder:
    """What `learn` measures on the way: the rows of R, the curve, the clock. It tells the method what is asked."""

    def __init__(self, method, model, tasks, scenario, on, every, watch):
        self.method, self.model = method, model
        self.tasks, self.scenario = tasks, scenario
        self.on, self.every, self.watch = on, every, watch
        self.taught = method._taught
        self.outputs = training.count_outputs(model, tasks[0].train.x)
        T = len(tasks)
        self.result = Learned(torch.zeros(T + 1, T, dtype=torch.float64), model)
        self.task, self.step, self.moments, self.curve = 0, 0, [], []

    def active(self, learned, j):
        """The outputs that compete when task j is answered after so many tasks, (outputs,)."""
        tasks, before = [*self.taught, *self.tasks], len(self.taught)
        numbers = learned + before, j + before
        return active_outputs(tasks, self.scenario, *numbers, self.outputs)

    def all_so_far(self, i):
        """The data of tasks 1 to i as one Split, and the outputs of each example's own task, (n, outputs)."""
        seen = self.tasks[:i]
        own = [
            self.active(i, j).expand(len(task.train), -1)
            for j, task in enumerate(seen, 1)
        ]
        return concatenate(task.train for task in seen), torch.cat(own)

    def ask(self, j):
        number = len(self.taught) + j
        self.method.asked = number if self.scenario == "task" else None

    def accuracies(self):
        """On every task, (T,), after what has been learned so far."""
        answers = []
        for j, task in enumerate(self.tasks, 1):
            self.ask(j)
            part = getattr(task, self.on), self.active(self.task, j)
            right = training.evaluate(
                self.model, *part, predict=self.method.predict
            )
            answers.append(right)
        self.ask(self.task)
        return torch.tensor(answers, dtype=torch.float64)

    def start(self, i):
        self.task, self.spent = i, [0.0, 0.0]
        self.ask(i)

    @contextmanager
    def clock(self, i):
        """Task i is trained: count its seconds, without those of `after_step`'s measurements."""
        self.start(i)
        with timed(self.spent):
            yield
        self.result.seconds.append(self.spent[0])
        self.result.cpu_seconds.append(self.spent[1])

    def due(self):
        """Is a point of the curve to be taken after this step?"""
        return bool(self.every) and (self.step + 1) % self.every == 0

    def after_step(self, model):
        self.method.after_step(model)
        due, self.step = self.due(), self.step + 1
        if due:
            with timed(self.spent, -1):
                self.moment(self.accuracies())

    def row(self, i):
        """Row i of R; a moment of the curve too, unless its step is one already."""
        self.result.R[i] = self.accuracies()
        if self.every and self.moments[-1:] != [self.step]:
            self.moment(self.result.R[i])

    def moment(self, accuracies):
        self.moments.append(self.step)
        self.curve.append(accuracies)
        if self.watch:
            self.result.watched.append(self.watch(self.model))

    def learned(self, joint):
        """The whole result; joint training keeps all old data."""
        result = self.result
        result.storage = self.method.storage()
        if joint:
            old = (task.train for task in self.tasks[:-1])
            result.storage += sum(nbytes(part.x, part.y) for part in old)
        if self.every:
            result.steps = torch.tensor(self.moments)
            result.curve = torch.stack(self.curve)
        return result


def nbytes(*tensors) -> int:
    """The bytes that the tensors take in memory."""
    return sum(t.numel() * t.element_size() for t in tensors)


@contextmanager
def timed(spent, sign=1):
    """Add the wall and the CPU seconds of the block to `spent`, or take them off (sign -1)."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    spent[0] += sign * (time.perf_counter() - wall)
    spent[1] += sign * (time.process_time() - cpu)

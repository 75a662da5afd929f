"""The protocol of a life-long learning method, and the one loop that runs every method through a task sequence.

A method is what it does at five moments; fine-tuning does nothing at any of them, so it is `Method()` itself.
"""

import time
import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .. import training
from ..data import concatenate
from ..losses import cross_entropy
from ..tasks.scenarios import SCENARIOS, active_outputs, check_tasks, relabelled


class Method:
    """Fine-tuning: train on the task at hand, and on nothing else. Every other method overrides some of these hooks.

    `active` is a boolean mask over the outputs, (outputs,) or (n, outputs): those that compete.
    """

    #: How far one optimiser step moves along the gradient; `learn` sets it before the first task.
    step_size = None
    #: The model that it serves (a weak reference): what a method keeps of one network is worth nothing to another.
    served = None
    #: The number of the task that is trained or asked, from 1, where the scenario tells it ("task"); else None.
    asked = None
    #: Where the method is defined. "adam" is left out by those that rely on steps of plain gradient descent.
    optimizers, scenarios = tuple(training.OPTIMIZERS), SCENARIOS

    def before_task(self, model, task):
        """Called before the training on each task."""

    def loss(self, model, x, y, active):
        """The loss of a batch, a scalar."""
        return cross_entropy(model, x, y, active)

    def predict(self, model, x, active):
        """The label of each example, int64 (n,)."""
        return training.predict(model, x, active)

    def after_gradient(self, model):
        """Called when the gradients of a batch stand in `.grad`: change them there."""

    def after_step(self, model):
        """Called after every optimiser step: look at the new weights, or mend them."""

    def after_task(self, model, task, active):
        """Called after the training on each task: measure importance, fill a memory, fix a mask."""

    def storage(self) -> int:
        """The bytes that the method keeps from one task to the next, besides the model."""
        return 0


@dataclass
class Learned:
    """What `learn` returns.

    R: (T + 1, T), accuracies; row 0 before any training, row i after task i, column j - 1 for task j.
    seconds, cpu_seconds: of the training on each task, a list of T floats; evaluation and watching do not count.
    storage: the bytes kept from one task to the next besides the model (for joint training: the old data).
    steps: at which steps, counted over all tasks, curve and watched were taken; (points,) and empty if not asked for.
    curve: (points, T), the accuracy on every task. watched: what `watch` returned, a list.
    """

    R: Tensor
    model: nn.Module
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    storage: int = 0
    steps: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    curve: Tensor | None = None
    watched: list = field(default_factory=list)


def learn(
    method,
    model,
    tasks,
    *,
    scenario="domain",
    joint=False,
    epochs=5,
    batch_size=32,
    optimizer="sgd",
    lr=0.1,
    seed=0,
    on="test",
    every=None,
    watch=None,
    progress=False,
) -> Learned:
    """Train `model` in place on one task after another with `method`, and measure it on all tasks after each.

    scenario: "task", "domain" or "class" (see `lllcourse.tasks`).
    joint: train task i on the data of tasks 1 to i together, the upper bound of life-long learning.
    epochs, batch_size, optimizer, lr, seed, progress: as in `training.train`; the optimiser starts anew for each task.
    on: the split on which accuracy is measured, "test" or "validation".
    every: record the curve each so many steps, the start and the end of every task too. watch: record what
    `watch(model)` returns at the same moments.

    Returns a `Learned`. Raises ValueError for settings out of range, a task without data or with examples of another
    shape than the first task's, and a method that has served another model; `training.Diverged` as soon as a loss is
    not finite.
    """
    _check(method, model, tasks, on, every, optimizer=optimizer, scenario=scenario)
    tasks = relabelled(tasks, scenario)
    device, T = training.device_of(model), len(tasks)
    outputs = training.count_outputs(model, tasks[0].train)
    told = scenario == "task"
    method.step_size = lr / (1 - training.MOMENTUM) if optimizer == "momentum" else lr

    def mask(learned, j):
        return active_outputs(tasks, scenario, learned, j, outputs)

    def accuracies(learned):
        answers = torch.zeros(T, dtype=torch.float64)
        for j, task in enumerate(tasks, 1):
            method.asked = j if told else None
            part = getattr(task, on), mask(learned, j)
            answers[j - 1] = training.evaluate(model, *part, predict=method.predict)
        return answers

    result = Learned(torch.zeros(T + 1, T, dtype=torch.float64), model)
    result.R[0] = accuracies(0)
    curve, moments, step = [], [], 0

    def record(learned, accuracy=None):
        if every:
            moments.append(step)
            curve.append(accuracies(learned) if accuracy is None else accuracy)
            if watch:
                result.watched.append(watch(model))

    record(0, result.R[0])
    for i, task in enumerate(tasks, 1):
        data, active = task.train, mask(i, i)
        if joint:
            seen = tasks[:i]
            data = concatenate(old.train for old in seen)
            # (n, outputs): each example with the outputs of its task
            lit = [mask(i, j).expand(len(t.train), -1) for j, t in enumerate(seen, 1)]
            active = torch.cat(lit)
        spent = [0.0, 0.0]

        def after_step(model, i=i, spent=spent):
            nonlocal step
            method.after_step(model)
            step += 1
            if every and step % every == 0:
                with _timed(spent, -1):
                    record(i)
                    method.asked = i if told else None

        method.asked = i if told else None
        with _timed(spent):
            method.before_task(model, task)
            training.train(
                model,
                data,
                active=active,
                epochs=epochs,
                batch_size=batch_size,
                optimizer=optimizer,
                lr=lr,
                seed=seed * 1000 + i,
                loss=method.loss,
                after_gradient=method.after_gradient,
                after_step=after_step,
                progress=progress,
            )
            method.after_task(model, task, mask(i, i).to(device))
        result.seconds.append(spent[0])
        result.cpu_seconds.append(spent[1])
        result.R[i] = accuracies(i)
        if not moments or moments[-1] < step:
            record(i, result.R[i])

    result.storage = method.storage()
    if joint:
        result.storage += sum(nbytes(t.train.x, t.train.y) for t in tasks[:-1])
    if every:
        result.steps, result.curve = torch.tensor(moments), torch.stack(curve)
    return result


def nbytes(*tensors) -> int:
    """The bytes that the tensors take in memory."""
    return sum(t.numel() * t.element_size() for t in tensors)


@contextmanager
def _timed(spent, sign=1):
    """Add the wall and the CPU seconds of the block to `spent`, or take them off (sign -1)."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    spent[0] += sign * (time.perf_counter() - wall)
    spent[1] += sign * (time.process_time() - cpu)


def _check(method, model, tasks, on, every, **settings):
    if on not in ("test", "validation"):
        raise ValueError(f"on is {on!r}; it must be 'test' or 'validation'")
    for name, value in settings.items():
        allowed = getattr(method, f"{name}s")
        if value not in allowed:
            raise ValueError(
                f"{type(method).__name__} works with {name} {' or '.join(map(repr, allowed))}, not {value!r}"
            )
    check_tasks(tasks, ("train", on))
    if every is not None and every < 1:
        raise ValueError(f"every is {every}; record the curve each 1 or more steps")
    if method.served is not None and method.served() is not model:
        raise ValueError(
            f"this {type(method).__name__} holds what it kept of another model; make a new one for this run"
        )
    method.served = weakref.ref(model)

"""The three scenarios in which a sequence of tasks is learned.

The scenario (van de Ven and Tolias 2019, arXiv:1904.07734) says what is known at test time, and so which outputs of the
network compete for the answer:

- "task":   the task is known; only its own outputs compete;
- "domain": all tasks share the same outputs (a split is relabelled to the position in its pair);
- "class":  nothing is known; all outputs seen so far compete.
"""

from dataclasses import replace

import torch
from torch import Tensor

from .. import checks
from ..data import Split, Task

SCENARIOS = ("task", "domain", "class")


def relabelled(tasks, scenario) -> list[Task]:
    """The tasks as `scenario` asks for them: in "domain", every label becomes its position in the task's classes.

    "task" and "class" keep the labels. Doing it twice changes nothing. Raises ValueError for an unknown scenario.
    """
    checks.one_of("scenario", scenario, SCENARIOS)
    tasks = listed(tasks)
    if scenario != "domain":
        return tasks

    def position(part, classes):
        columns = torch.tensor(classes, device=part.y.device)
        # (n, classes) with one True a row
        return Split(part.x, (part.y[:, None] == columns).long().argmax(1))

    return [
        replace(
            task,
            train=position(task.train, task.classes),
            validation=position(task.validation, task.classes),
            test=position(task.test, task.classes),
            classes=tuple(range(len(task.classes))),
        )
        for task in tasks
    ]


def active_outputs(tasks, scenario, learned, on, outputs) -> Tensor:
    """Which outputs compete when task `on` is answered after `learned` tasks (both counted from 1 as in R).

    tasks: already `relabelled`. outputs: how many outputs the network has. Returns a boolean mask (outputs,).
    A task that has not been learned yet (learned < on) is asked with its own outputs among the others.
    """
    checks.one_of("scenario", scenario, SCENARIOS)
    asked = tasks[on - 1 : on] if scenario == "task" else tasks[: max(learned, on)]
    classes = sorted({c for task in asked for c in task.classes})
    if classes[-1] >= outputs:
        raise ValueError(
            f"the tasks use output {classes[-1]}, but the network has {outputs}; give it at least {classes[-1] + 1}"
        )
    mask = torch.zeros(outputs, dtype=torch.bool)
    mask[classes] = True
    return mask


def without_examples(task) -> Task:
    """The same task with empty splits, which hold on to no data."""
    parts = {part: getattr(task, part) for part in ("train", "validation", "test")}
    none = {
        name: Split(part.x[:0].clone(), part.y[:0].clone())
        for name, part in parts.items()
    }
    return replace(task, **none)


def listed(tasks) -> list[Task]:
    """The tasks as a list, from a generator too. Raises ValueError for one task alone, none, and other things."""
    if isinstance(tasks, Task):
        raise ValueError(
            f"tasks is one task, {tasks.name!r}; give a list, [task] for this one alone"
        )
    tasks = list(tasks)
    checks.require(tasks, "a sequence needs at least one task")
    for task in tasks:
        checks.require(
            isinstance(task, Task),
            f"a sequence consists of Tasks, but one is a {type(task).__name__}",
        )
    return tasks


def check_tasks(tasks, parts=("train", "validation", "test")):
    """Raise ValueError, naming the task, where a sequence cannot be learned: one of the named parts of a task has no
    examples, or some that are not finite, or of another shape than the first task's.
    """
    tasks = listed(tasks)
    shape = tasks[0].train.x.shape[1:]
    for number, task in enumerate(tasks, 1):
        for part in parts:
            x = getattr(task, part).x
            if len(x) == 0:
                raise ValueError(
                    f"task {number} ({task.name!r}) has no examples in its {part} split: give it some, or leave it out"
                )
            if x.shape[1:] != shape:
                raise ValueError(
                    f"task {number} ({task.name!r}): examples of its {part} split have shape {tuple(x.shape[1:])}, "
                    f"those of task 1 {tuple(shape)}; one network takes one shape"
                )
            floats = x.is_floating_point() and not x.is_meta
            if floats and not checks.all_finite(x):
                raise ValueError(
                    f"task {number} ({task.name!r}) has values that are not finite in its {part} split; mend or drop "
                    "these examples"
                )

"""The protocol of a life-long learning method, and the one loop that runs every method through a task sequence.

A method is what it does at six moments: `before_task`, `loss`, `after_gradient`, `after_step`, `after_task`, and
`predict` when it is asked. Fine-tuning does nothing of its own at any of them, so it is `Method()` itself.
"""

import weakref

from .. import checks, training
from ..losses import cross_entropy
from ..tasks.scenarios import (
    SCENARIOS,
    check_tasks,
    listed,
    relabelled,
    without_examples,
)
from .recorder import Learned, Recorder


class Method:
    """Fine-tuning: train on the task at hand, and on nothing else. Every other method overrides some of these hooks.

    `active` is a boolean mask over the outputs, (outputs,) or (n, outputs): those that compete.
    """

    #: How far one optimiser step moves along the gradient; `learn` sets it before
    #: the first task.
    step_size = None
    #: The model that it serves (a weak reference): what a method keeps of one
    #: network is worth nothing to another.
    served = None
    #: The number of the task that is trained or asked, from 1, where the scenario
    #: tells it ("task"); else None.
    asked = None
    #: The tasks that `learn` has taught it, without their examples; for `learn` alone.
    _taught = ()
    #: Where the method is defined. "adam" is left out by those that rely on steps
    #: of plain gradient descent.
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

    tasks: a list of `Task`s. With a method that has learned tasks before, these are further ones: it goes on as in one
    call, with R for the new tasks alone.
    scenario: "task", "domain" or "class" (see `lllcourse.tasks`).
    joint: train task i on the data of tasks 1 to i together, the upper bound of life-long learning.
    epochs, batch_size, optimizer, lr, seed, progress: as in `training.train`; the optimiser starts anew for each task.
    on: the split on which accuracy is measured, "test" or "validation".
    every: record the curve each so many steps, the start and the end of every task too. watch: record what
    `watch(model)` returns at the same moments.

    Returns a `Learned`. Raises ValueError for settings out of range, a task without data or with examples of another
    shape than the first task's, joint training with tasks whose data came in an earlier call, and a method that has
    served another model; `training.Diverged` as soon as a loss is not finite.
    """
    recorder, seed = begin(
        method,
        model,
        tasks,
        scenario=scenario,
        joint=joint,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        lr=lr,
        seed=seed,
        on=on,
        every=every,
        watch=watch,
    )
    for i, task in enumerate(recorder.tasks, 1):
        own = recorder.active(i, i)
        data, active = recorder.all_so_far(i) if joint else (task.train, own)
        with recorder.clock(i):
            method.before_task(model, task)
            training.train(
                model,
                data,
                active=active,
                epochs=epochs,
                batch_size=batch_size,
                optimizer=optimizer,
                lr=lr,
                seed=seed + i,
                loss=method.loss,
                after_gradient=method.after_gradient,
                after_step=recorder.after_step,
                progress=progress,
            )
            method.after_task(model, task, own.to(training.device_of(model)))
            method._taught = (*method._taught, without_examples(task))
        recorder.result.examples.append(epochs * len(data))
        recorder.row(i)
    return recorder.learned(joint)


def begin(
    method,
    model,
    tasks,
    *,
    scenario,
    joint,
    epochs,
    batch_size,
    optimizer,
    lr,
    seed,
    on,
    every,
    watch,
):
    """What is to be done before the first task: look at everything that was passed, and measure row 0 of R.

    Returns the recorder, which holds the tasks as they are learned, and the number that the seeds of all tasks are
    counted from. Raises as `learn` does.
    """
    tasks = listed(tasks)
    _check(method, model, tasks, on, every, optimizer=optimizer, scenario=scenario)
    checks.schedule(epochs, batch_size, lr)
    seed = 1000 * checks.whole("seed", seed) + len(method._taught)
    checks.require(
        not (joint and method._taught),
        "joint training needs the data of all tasks: give them in one call of learn",
    )
    device = training.device_of(model)
    tasks = [task.to(device) for task in relabelled(tasks, scenario)]
    method.step_size = (
        lr / (1 - training.MOMENTUM) if optimizer == "momentum" else lr
    )
    recorder = Recorder(method, model, tasks, scenario, on, every, watch)
    recorder.row(0)
    return recorder, seed


def _check(method, model, tasks, on, every, **settings):
    checks.one_of("on", on, ("test", "validation"))
    for name, value in settings.items():
        allowed = getattr(method, f"{name}s")
        checks.require(
            value in allowed,
            f"{type(method).__name__} works with {name} {' or '.join(map(repr, allowed))}, not {value!r}",
        )
    check_tasks(tasks, ("train", on))
    if every is not None:
        checks.whole("every", every, least=1)
    checks.require(
        method.served is None or method.served() is model,
        f"this {type(method).__name__} holds what it kept of another model; make a new one for this run",
    )
    method.served = weakref.ref(model)

"""The same experiment with several seeds: one run says little, since seeds differ by more than many methods do.

A step of one small network leaves a GPU idle for most of the time, and a processor for some. So where it can be done,
the networks of all seeds are trained as one stack (`stack.py`), and each gets what `learn` would give it alone.
"""

from inspect import signature

import torch

from .. import checks, training
from ..tasks.scenarios import listed
from .memory import competing
from .method import Method, begin, learn
from .recorder import Learned, nbytes, timed
from .stack import Stack, stacked, why_not

# By name, so that a page depends on the methods that it uses, and on no others.
METHOD, LWF, REPLAY = "method.Method", "lwf.LwF", "replay.Replay"
MEASURED = ("ewc.EWC", "online_ewc.OnlineEWC", "mas.MAS", "scp.SCP")
#: Methods that work on a stack; what the measured ones measure, they measure on each network.
STACKED = (METHOD, "l2.L2", "si.SI", *MEASURED, LWF, REPLAY)


def learn_seeds(
    make_method, make_model, make_tasks, seeds, **settings
) -> list[Learned]:
    """`learn` for each seed, which draws the tasks, the initial weights and the order of the examples.

    make_method(), make_model(seed), make_tasks(seed): what is new in every run. settings: of `learn`, but `seed`.

    The networks are trained side by side where `in_a_row` has nothing against it, with the same numbers as one after
    another, up to the rounding of another order of sums. In float64 that is 1e-12. In float32 it can grow as training
    goes on: to accuracies that differ by a few of the test images after steps of gradient descent, by some per cent
    after many of Adam. Then `seconds` and `cpu_seconds` are each seed's share of the time of all. Raises as `learn`.
    """
    seeds = list(seeds)
    methods = [make_method() for _ in seeds]
    models = [make_model(seed) for seed in seeds]
    tasks = [listed(make_tasks(seed)) for seed in seeds]
    if not seeds or in_a_row(methods, models, tasks):
        runs = zip(methods, models, tasks, seeds, strict=True)
        return [learn(*run, seed=seed, **settings) for *run, seed in runs]
    return _together(methods, models, tasks, seeds, **settings)


def in_a_row(methods, models, tasks) -> str:
    """Why these runs cannot be trained side by side, or "": networks that are no plain row of layers, methods that
    solve a problem, prune, grow or draw images in every run, tasks that differ in shape from seed to seed.
    """
    if _name(methods[0]) not in STACKED:
        kind = type(methods[0]).__name__
        return f"{kind} has work to do in every run that does not go together"
    devices = {training.device_of(model) for model in models}
    if len(devices) > 1:
        return "the networks lie on several devices"
    forms = [[(task.train.x.shape, task.classes) for task in run] for run in tasks]
    if any(form != forms[0] for form in forms) or len(forms[0][0][0]) < 2:
        return "the tasks differ in their numbers of examples or their classes"
    return why_not(models)


def _name(method):
    """The file and the name of a method of the package, as in STACKED; of any other, a name that is not there."""
    kind = type(method)
    package, _, file = kind.__module__.rpartition(".")
    return f"{file}.{kind.__qualname__}" if package == __package__ else ""


def _together(methods, models, tasks, seeds, **settings):
    how = signature(learn).bind(None, None, None, **settings)
    how.apply_defaults()
    settings = {
        k: v
        for k, v in how.arguments.items()
        if k not in ("method", "model", "tasks", "seed")
    }
    progress = settings.pop("progress")
    runs = zip(methods, models, tasks, seeds, strict=True)
    begun = [begin(*run, seed=seed, **settings) for *run, seed in runs]
    recorders = [recorder for recorder, _ in begun]
    stack, method = Stack(models), _of_all(methods, models)
    for recorder in recorders:
        recorder.method = Method()  # what it has to do after a step is done for all

    for i in range(1, len(tasks[0]) + 1):
        now = [recorder.tasks[i - 1] for recorder in recorders]
        own = recorders[0].active(i, i).to(training.device_of(stack))
        data = [(task.train, own) for task in now]
        if settings["joint"]:
            data = [recorder.all_so_far(i) for recorder in recorders]
        for recorder in recorders:
            recorder.start(i)
        with timed(spent := [0.0, 0.0]):
            method.before_task(stack, now)
            _train(
                stack,
                models,
                data,
                method,
                recorders,
                [seed + i for _, seed in begun],
                progress,
                *(
                    settings[name]
                    for name in ("epochs", "batch_size", "optimizer", "lr")
                ),
            )
            stack.hand_out(models)
            method.after_task(stack, now, own)
        for recorder, (split, _) in zip(recorders, data, strict=True):
            result = recorder.result
            wall, cpu = (
                (whole + sum(r.spent[k] for r in recorders)) / len(seeds)
                for k, whole in enumerate(spent)
            )
            result.seconds.append(wall)
            result.cpu_seconds.append(cpu)
            result.examples.append(settings["epochs"] * len(split))
            recorder.row(i)

    kept = _storage(method, methods)
    for recorder in recorders:
        recorder.learned(settings["joint"]).storage += kept
    return [recorder.result for recorder in recorders]


def _train(
    stack,
    models,
    data,
    method,
    recorders,
    seeds,
    progress,
    epochs,
    batch_size,
    optimizer,
    lr,
):
    """`training.train` for all networks of the stack, each on its own data in its own order."""
    device = training.device_of(stack)
    data = [(split.to(device), active.to(device)) for split, active in data]
    for split, active in data:
        checks.learnable(split, active, active.shape[-1])
    optimizer = training.OPTIMIZERS[optimizer](stack.parameters(), lr)
    generators = [checks.generator(seed) for seed in seeds]
    for epoch in training.bar(range(epochs)) if progress else range(epochs):
        losses = checks.Losses(device, epoch + 1, lr)
        each = zip(data, generators, strict=True)
        drawn = [
            training.batches(*run, batch_size, generator) for run, generator in each
        ]
        for batches in zip(*drawn, strict=True):
            x, y, active = zip(*batches, strict=True)
            active = active[0] if active[0].ndim == 1 else torch.cat(active)
            optimizer.zero_grad()
            value = method.loss(stack, torch.stack(x), torch.cat(y), active)
            losses.add(value, len(y[0]))
            # the mean over all examples, but each network steps along its own
            (value * len(models)).backward()
            with torch.no_grad():
                optimizer.step()
                method.after_step(stack)
                if recorders[0].due():
                    stack.hand_out(models)
                for recorder, model in zip(recorders, models, strict=True):
                    recorder.after_step(model)
        losses.mean()
    checks.weights_are_finite(stack, lr)


def _of_all(methods, models):
    """One method that does for the stack what each of `methods` does for its model."""
    method = methods[0]
    if _name(method) == REPLAY:
        return _Replay(methods, models)
    if _name(method) in MEASURED:
        measure = method.measure

        def each(stack, tasks, active):
            found = [
                measure(*run, active) for run in zip(models, tasks, strict=True)
            ]
            return [stacked(parts) for parts in zip(*found, strict=True)]

        method.measure = each
    return method


class _Replay(Method):
    """Replay with a memory for each network."""

    def __init__(self, methods, models):
        self.methods, self.models = methods, models

    def loss(self, stack, x, y, active):
        if len(self.methods[0].memory):
            networks = len(self.methods)
            y = y.unflatten(0, (networks, -1))
            present = active.expand(y.numel(), -1).unflatten(0, y.shape)
            drawn = [method.memory.draw(method.batch) for method in self.methods]
            old_x, old_y, own = map(torch.stack, zip(*drawn, strict=True))
            old = [competing(*masks) for masks in zip(own, present, strict=True)]
            active = torch.cat([present, torch.stack(old)], 1).flatten(0, 1)
            x, y = torch.cat([x, old_x], 1), torch.cat([y, old_y], 1).flatten()
        return super().loss(stack, x, y, active)

    def after_task(self, stack, tasks, active):
        for method, *run in zip(self.methods, self.models, tasks, strict=True):
            method.after_task(*run, active)


def _storage(method, methods):
    """The bytes that each run keeps, all of them alike."""
    if isinstance(method, _Replay):
        return methods[0].storage()
    if _name(method) == LWF:  # its masks serve all
        kept = nbytes(*method.teacher.parameters())
        return kept // len(methods) + method.storage() - kept
    return method.storage() // len(methods)

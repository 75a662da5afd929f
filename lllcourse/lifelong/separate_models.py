"""One model per task: nothing is forgotten, since nothing is shared.

The price is that every model has to be kept, that the task has to be known when it is asked, and that no task can
help another.
"""

import torch

from .. import checks
from ..tasks.scenarios import listed
from .method import Method, learn
from .recorder import Learned, nbytes


def separate(
    make_model, tasks, *, scenario="domain", seed=0, **settings
) -> Learned:
    """Train a fresh `make_model()` on each task alone, with `settings` as for `learn`.

    seed: of the order of the examples, a different one for each model: with one order for all, they err together.

    Returns a Learned whose `model` is the list of the T models. Row i of R holds models 1 to i on their own tasks,
    and an untrained one on the tasks to come; `storage` counts the bytes of all models but the last.
    Raises ValueError in the class-incremental scenario: nothing there tells which model to ask.
    """
    tasks, first = checked(tasks, scenario, seed)
    settings["scenario"] = scenario
    runs = [
        learn(Method(), make_model(), [task], seed=first + t, **settings)
        for t, task in enumerate(tasks)
    ]
    untrained = torch.cat([run.R[0] for run in runs])
    trained = torch.cat([run.R[1] for run in runs])
    T = len(tasks)
    # (T + 1, T): has row i seen the task of this column?
    learned = torch.arange(T + 1)[:, None] > torch.arange(T)
    models = [run.model for run in runs]
    return Learned(
        R=torch.where(learned, trained, untrained),
        model=models,
        seconds=[run.seconds[0] for run in runs],
        cpu_seconds=[run.cpu_seconds[0] for run in runs],
        examples=[run.examples[0] for run in runs],
        storage=sum(nbytes(*model.parameters()) for model in models[:-1]),
    )


def checked(tasks, scenario, seed):
    """The tasks as a list, and the seed of the first of them; or a ValueError that names what is wrong."""
    checks.require(
        scenario != "class",
        "one model per task needs to know the task when it is asked; scenario='class' does not tell it",
    )
    return listed(tasks), 1000 * checks.whole("seed", seed)

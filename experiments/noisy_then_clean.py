"""Example 1 of the lecture: a small network learns noisy digits, then clean ones.

What chapter 01 shows of it: the accuracy on the noisy digits while the clean ones are learned, by Adam and by plain
gradient descent; the same network trained on both at once, for as many steps, and on the clean digits alone; and what a
wider network, and noise that is drawn anew in every epoch, change.
"""

from dataclasses import replace

from torch.nn.utils import parameters_to_vector

from lllcourse import training
from lllcourse.data import concatenate
from lllcourse.lifelong.method import Method, learn
from lllcourse.models import MLP
from lllcourse.settings import NOISY_THEN_CLEAN
from lllcourse.tasks import noisy_then_clean

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = NOISY_THEN_CLEAN | {
    "plain": {"epochs": 10, "batch_size": 32, "lr": 0.1},
    "wider": [784, 200, 200, 10],
    "every": 55,  # an epoch of `train` on one of the tasks
}


def run(seed, noise, sizes, train, plain, wider, every) -> dict:
    """For "Adam" and "plain SGD", one task after the other, the table R, (3, 2), how far the weights moved in task 2
    ("moved") and, for Adam, the accuracy on the noisy digits over the steps ("steps", "curve"). "both at once" has the
    same curve, and the accuracies (noisy, clean) at the end. alone: on the clean digits, of a network that has seen no
    others. wider: R, with Adam. "noise anew": the noisy digits after each task.
    """
    noisy, clean = tasks = noisy_then_clean(seed, noise)
    return {
        "Adam": in_turn(tasks, seed, sizes, train | {"every": every}),
        "plain SGD": in_turn(tasks, seed, sizes, plain),
        "both at once": at_once(tasks, seed, sizes, train | {"every": every}),
        "alone": learn(Method(), MLP(*sizes, seed=seed), [clean], seed=seed, **train).R[1, 0].item(),
        "wider": in_turn(tasks, seed, wider, train)["R"],
        "noise anew": noise_anew(tasks, seed, noise, sizes, train),
    }


def in_turn(tasks, seed, sizes, how) -> dict:
    weights = []

    class Watched(Method):
        def after_task(self, model, task, active):
            weights.append(parameters_to_vector(model.parameters()).detach().clone())

    learned = learn(Watched(), MLP(*sizes, seed=seed), tasks, seed=seed, **how)
    result = {"R": learned.R.tolist(), "moved": (weights[1] - weights[0]).norm().item()}
    if learned.curve is not None:
        result |= {"steps": learned.steps.tolist(), "curve": learned.curve[:, 0].tolist()}
    return result


def at_once(tasks, seed, sizes, how) -> dict:
    noisy, clean = tasks
    both = replace(noisy, train=concatenate([noisy.train, clean.train]))
    learned = learn(Method(), MLP(*sizes, seed=seed), [both], seed=seed, **how)
    return {
        "noisy": learned.R[1, 0].item(),
        "clean": training.evaluate(learned.model, clean.test),
        "steps": learned.steps.tolist(),
        "curve": learned.curve[:, 0].tolist(),
    }


def noise_anew(tasks, seed, noise, sizes, train) -> list:
    """The first task's training images, once for every epoch, each time with other noise: as many steps as before."""
    noisy, clean = tasks
    others = range(1000 + 100 * seed, 1000 + 100 * seed + train["epochs"])
    copies = concatenate(noisy_then_clean(other, noise)[0].train for other in others)
    model, found = MLP(*sizes, seed=seed), []
    for split, epochs in ((copies, 1), (clean.train, train["epochs"])):
        training.train(model, split, seed=seed, **train | {"epochs": epochs})
        found.append(training.evaluate(model, noisy.test))
    return found

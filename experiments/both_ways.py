"""Example 1 of the lecture in both orders: a small network learns noisy and clean digits, and either comes first.

What chapter 10 shows of it: how much of the first task is left, for weak, medium and strong noise, and what a network
knows of it that has seen the other task alone; and whether noisy digits that came second only profit from more steps.
The lecture's own order with its noise, and both tasks at once, are in `noisy_then_clean`.
"""

from lllcourse.lifelong.method import Method
from lllcourse.lifelong.seeds import learn_seeds
from lllcourse.models import MLP
from lllcourse.settings import NOISY_THEN_CLEAN
from lllcourse.tasks import noisy_then_clean

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = {key: NOISY_THEN_CLEAN[key] for key in ("sizes", "train")} | {"noises": [0.2, 0.4, 0.7]}


def run_seeds(seeds, sizes, train, noises) -> list[dict]:
    """For each noise: {"noisy first": R, "clean first": R}, each (3, 2), the tasks in the order in which they came.
    longer: the accuracy on the noisy digits, with the first of the noises, of a network that learns nothing else, for
    as many steps as two tasks take.
    """

    def network(seed):
        return MLP(*sizes, seed=seed)

    def tables(noise, turn, only=2, **more):
        def tasks(seed):
            return noisy_then_clean(seed, noise)[::turn][:only]

        runs = learn_seeds(Method, network, tasks, seeds, **train | more)
        return [one.R.tolist() for one in runs]

    ways = {"noisy first": 1, "clean first": -1}
    found = {noise: {name: tables(noise, turn) for name, turn in ways.items()} for noise in noises}
    longer = tables(noises[0], 1, only=1, epochs=2 * train["epochs"])
    return [
        {str(noise): {name: runs[k] for name, runs in both.items()} for noise, both in found.items()}
        | {"longer": longer[k][1][0]}
        for k in range(len(seeds))
    ]

"""Example 2 of the lecture: twenty kinds of questions, learned all together and one after another by the same network.

What chapter 01 shows of it: the fifth kind over the whole sequence, and how many kinds are solved in the end. Both ways
of training see every story equally often, in batches of the same size, with the same optimiser.
"""

from lllcourse import training
from lllcourse.data import concatenate
from lllcourse.lifelong.method import Method, learn
from lllcourse.models import Reader
from lllcourse.settings import QUESTIONS
from lllcourse.tasks import active_outputs
from lllcourse.tasks.stories import ANSWERS, WORDS, questions

SEEDS = (0, 1, 2)
SETTINGS = QUESTIONS | {"fifth": 5}


def run(seed, T, stories, train, fifth) -> dict:
    """Accuracies on the test stories; every list but "curve" has one entry a kind.

    majority: of always giving the kind's most frequent answer. joint: all kinds at once. learned: in sequence, each
    just after its own training; end: after the last; own: at the end, choosing among the kind's own answers only.
    curve: of the kind `fifth` before any training and after each kind, T + 1 numbers.
    """
    tasks = questions(T, seed, stories)
    together = Reader(len(WORDS), len(ANSWERS), seed=seed)
    training.train(together, concatenate(task.train for task in tasks), seed=seed, **train)
    model = Reader(len(WORDS), len(ANSWERS), seed=seed)
    R = learn(Method(), model, tasks, scenario="class", seed=seed, **train).R

    def own(j, task):
        mask = active_outputs(tasks, "task", T, j, len(ANSWERS))
        return training.evaluate(model, task.test, mask)

    return {
        "kinds": [task.name for task in tasks],
        "majority": [t.test.y.bincount().max().item() / len(t.test) for t in tasks],
        "joint": [training.evaluate(together, task.test) for task in tasks],
        "learned": R[1:].diagonal().tolist(),
        "end": R[-1].tolist(),
        "own": [own(j, task) for j, task in enumerate(tasks, 1)],
        "curve": R[:, fifth - 1].tolist(),
    }

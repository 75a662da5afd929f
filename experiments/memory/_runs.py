"""How much old data it takes: GEM, A-GEM and replay with more and more images of each of five permuted tasks.

What chapter 06 shows of it. Margins of GEM and lambdas of EWC, which keeps no image, are compared on the validation
images; test images give the report.
"""

from lllcourse import metrics, training
from lllcourse.lifelong.method import learn
from lllcourse.models import MLP

SEEDS = (0, 1, 2, 3, 4)
MEMORIES = [5, 10, 25, 50, 100]  # images kept of each task
BATCH = 32  # old images a step, for A-GEM and replay


def measure(method, tasks, seed, sizes, train, joint=False):
    model = MLP(*sizes, seed=seed)
    return facts(learn(method, model, tasks, joint=joint, seed=seed, **train), tasks)


def facts(learned, tasks):
    """Accuracies at the end, on validation and test images; backward transfer; the mean over the tasks seen so far
    after each ("after"); the bytes kept; the CPU seconds of training on the last task, when most is old.
    """
    validation = [training.evaluate(learned.model, t.validation) for t in tasks]
    seen = [row[:t].mean().item() for t, row in enumerate(learned.R) if t]
    return {
        "validation": sum(validation) / len(tasks),
        "accuracy": metrics.accuracy(learned.R),
        "backward_transfer": metrics.backward_transfer(learned.R),
        "after": seen,
        "storage": learned.storage,
        "cpu_seconds": round(learned.cpu_seconds[-1], 2),
    }

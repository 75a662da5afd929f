"""The graded training run of the assignment `forgetting`: `python -m grader reference` makes the band of its test."""

import copy

from grader.assignment import Experiment
from lllcourse import training
from lllcourse.data import concatenate


def learn(model, data, schedule, lr):
    """Every batch as a training of the package that has one step."""
    networks = [copy.deepcopy(model)]
    for batches in schedule:
        for batch in batches:
            parts = [data[t][batch[batch[:, 0] == t + 1, 1]] for t in range(len(data))]
            training.train(model, concatenate(parts), epochs=1, batch_size=len(batch), lr=lr)
        networks.append(copy.deepcopy(model))
    return networks


EXPERIMENTS = {
    "forgetting.rotated": Experiment(
        assignment="forgetting",
        test="test-training",
        reference={"learn": learn},
        constants=("SIZES", "EPOCHS", "BATCH", "LR"),
    )
}

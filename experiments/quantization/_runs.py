"""What the families share: the seeds, and how a network is judged."""

from lllcourse import training
from lllcourse.compression.compressed import compressed
from lllcourse.compression.rounding import coded, rounded
from lllcourse.data import digits

SEEDS = (0, 1, 2, 3, 4)


def facts(model) -> dict:
    data = digits()
    return {
        "validation": training.evaluate(model, data.validation),
        "accuracy": training.evaluate(model, data.test),
    }


def file_facts(model) -> dict:
    """Of a network with rounded weights: with the bytes of its file."""
    file = compressed(rounded(model), coded(model))
    return facts(file.restore()) | {"bytes": file.bytes}

"""The running table of Part II: what every family of rows shares.

A family's `run(seed, **SETTINGS)` returns {network: {row: facts}}, network a name of `dense.TRAINING`;
`recorded("compress")` reads all families as one.
"""

from lllcourse import training
from lllcourse.compression.footprint import size
from lllcourse.data import digits

SEEDS = (0, 1, 2, 3, 4)


def facts(model) -> dict:
    """Parameters, non-zeros, bytes and MACs, and the accuracy on validation and test images."""
    data = digits()
    return size(model, data.test.x) | {
        "validation": training.evaluate(model, data.validation),
        "accuracy": training.evaluate(model, data.test),
    }

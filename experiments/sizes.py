"""Fully connected networks from tiny to large, all trained alike: what they cost, and what they know.

What chapter 11 shows of it. A width n stands for two hidden layers, of n and n / 3 units: 300 is LeNet-300-100.
"""

from lllcourse import training
from lllcourse.compression import dense, footprint
from lllcourse.data import digits
from lllcourse.models import MLP

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = {"widths": [3, 6, 15, 30, 90, 300, 900], "network": "LeNet-300-100"}


def run(seed, widths, network) -> dict:
    """{width: parameters, non-zeros, bytes, MACs, accuracy}."""
    data, found = digits(), {}
    for n in widths:
        model = MLP(784, n, n // 3, 10, seed=seed)
        dense.train(model, network, seed=seed)
        accuracy = training.evaluate(model, data.test)
        found[str(n)] = footprint.size(model, data.test.x) | {"accuracy": accuracy}
    return found

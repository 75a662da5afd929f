"""The running table, rows of chapter 15: weights of few bits. Bytes are those of the file of codes.

Trained on are two bits, as in `quantization.bits`, and one, with steps as long as those of the dense network: on the
validation images of seed 10 they were better for signs.
"""

from lllcourse.compression import dense
from lllcourse.compression.binary import binarized
from lllcourse.compression.compressed import compressed
from lllcourse.compression.quantization import quantized
from lllcourse.compression.rounding import coded, rounded

from ..quantization._again import train_on
from ._table import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"networks": dense.TRAINING, "lr": {"two bits": 0.03, "one bit": 0.1}}


def run(seed, networks, lr) -> dict:
    rows = {}
    for name in networks:
        model = dense.trained(name, seed)
        two, one = quantized(model, 2, per_channel=True), binarized(model, scaled=True)
        nets = {
            "8 bits": quantized(model, 8),
            "4 bits per channel": quantized(model, 4, per_channel=True),
            "2 bits per channel, trained": train_on(two, name, seed, lr["two bits"]),
            "1 bit and a scale per channel, trained": train_on(one, name, seed, lr["one bit"]),
        }
        files = {row: compressed(rounded(net), coded(net)) for row, net in nets.items()}
        rows[name] = {row: facts(file.restore()) | {"bytes": file.bytes} for row, file in files.items()}
    return rows

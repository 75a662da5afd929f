"""Replay out of as many bytes, filled with examples of 32, 8, 4, 2 or 1 bits a number.

{"class": five pairs of digits, classes added; "domain": five permutations of the pixels}, each {bytes: {bits:
{"images", "storage", "accuracy", "backward_transfer"}}}; "control": {bits: ...}, the same number of images at both
precisions. Of 32 bits is replay as it is. Nothing is chosen here, so the validation images are not looked at.
"""

from lllcourse import metrics
from lllcourse.lifelong.method import learn
from lllcourse.lifelong.quantized_replay import QuantizedReplay, bytes_of_one
from lllcourse.lifelong.replay import Replay
from lllcourse.models import MLP
from lllcourse.settings import PERMUTED, SPLIT
from lllcourse.tasks import permuted, split

from ._runs import SEEDS

__all__ = ["SEEDS", "SETTINGS", "run"]

FULL = 32  # bits of a number in single precision
BITS = [32, 8, 4, 2, 1]
SETTINGS = {
    "class": {"bytes": [16_000, 64_000], "bits": BITS},
    "domain": {"bytes": [16_000], "bits": [8, 1]},
    "control": {"images": 200, "bits": [32, 1]},
    "batch": 32,
}


def run(seed, batch, **settings) -> dict:
    control = settings["control"]
    found = {
        scenario: {
            str(size): {str(bits): one(scenario, seed, images(size, bits), bits, batch) for bits in part["bits"]}
            for size in part["bytes"]
        }
        for scenario, part in ((name, settings[name]) for name in ("class", "domain"))
    }
    few = {str(bits): one("class", seed, control["images"], bits, batch) for bits in control["bits"]}
    return found | {"control": few}


def images(size, bits):
    """How many images of ten possible digits `size` bytes hold."""
    pixels, outputs = 784, 10
    plain = 4 * pixels + 8 + outputs  # as replay keeps them: the label an int64, each output a byte
    return size // (plain if bits == FULL else bytes_of_one(pixels, bits, outputs))


def one(scenario, seed, n, bits, batch) -> dict:
    tasks, how = (split(), SPLIT) if scenario == "class" else (permuted(PERMUTED["T"], seed), PERMUTED)
    method = Replay(n, batch, seed) if bits == FULL else QuantizedReplay(n, bits, batch, seed)
    learned = learn(method, MLP(*how["sizes"], seed=seed), tasks, scenario=scenario, seed=seed, **how["train"])
    return {
        "images": n,
        "storage": learned.storage,
        "accuracy": metrics.accuracy(learned.R),
        "backward_transfer": metrics.backward_transfer(learned.R),
    }

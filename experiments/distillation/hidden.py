"""A hidden layer as a hint, on 100 images: first the hidden layers, then the whole student, by labels or by answers.

Each way trains for twice the epochs in all, so that those with a hint have no more steps than the others.
"""

from lllcourse.compression import dense
from lllcourse.compression.distillation import taught
from lllcourse.compression.hints import Mapped, hint
from lllcourse.losses import cross_entropy
from lllcourse.models.mlp import MLP

from ._runs import SEEDS, SHARED, TEACHER, facts, few, train

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = SHARED | {"images": 100}


def run(seed, sizes, T, epochs, images) -> dict:
    teacher, data, long = dense.trained(TEACHER, seed), few(images, seed), epochs[str(images)]
    widths = sizes[-2], teacher.layers[-1].in_features
    losses = {"hard": cross_entropy, "soft": taught(teacher, T=T)}
    found = {}
    for name, loss in losses.items():
        alone, hinted = MLP(*sizes, seed=seed), MLP(*sizes, seed=seed)
        train(alone, seed, data, 2 * long, loss)
        mapped = Mapped(hinted, *widths, seed=seed)
        train(mapped, seed, data, long, hint(teacher))
        train(hinted, seed + 1000, data, long, loss)
        found |= {name: facts(alone), f"hint, {name}": facts(hinted)}
    return {"hidden": found}

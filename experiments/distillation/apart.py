"""Five teachers that differ: each is trained on 400 labelled images of its own, and none has seen another's.

The student has all 3,500 images without a label. "apart": each teacher's accuracy, that of their averaged
probabilities, and that of a student of the first, of the mean, and of each in turn.
"""

import torch

from lllcourse.compression import dense
from lllcourse.compression.distillation import taught
from lllcourse.data import digits

from ._runs import SEEDS, SHARED, TEACHER, facts, student, train
from .ensemble import Together

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = SHARED | {"members": 5, "images": 400}


def run(seed, sizes, T, epochs, members, images) -> dict:
    teachers = [dense.untrained(TEACHER, seed + 1000 * i) for i in range(members)]
    for i, teacher in enumerate(teachers):
        train(teacher, seed + 1000 * i, own(images, seed, i), epochs[str(images)])
    ways = {
        "one": taught(teachers[0], T=T),
        "average": taught(*teachers, T=T),
        "in turn": taught(*teachers, T=T, in_turn=True),
    }
    every = digits().train
    students = {way: facts(student(sizes, seed, every, epochs["3500"], loss)) for way, loss in ways.items()}
    return {"apart": {"members": [facts(t) for t in teachers], "ensemble": facts(Together(teachers))} | students}


def own(n, seed, part):
    """n training images, as many of each digit; another part has others."""
    split, each = digits().train, n // 10
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))
    y = split.y[order]
    places = [order[y == digit][part * each : (part + 1) * each] for digit in range(10)]
    return split[torch.cat(places)]

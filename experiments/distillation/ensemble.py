"""Five teachers at once: a student of their mean, and one taught by each in turn.

"members": each teacher's accuracy; "ensemble": that of their averaged probabilities. "students": {images: {way: what
`facts` tells}}; students of the first teacher, and of the labels alone, are in `labels.py`. The teachers have initial
weights and orders of the images of their own; the first is the dense network of the seed.
"""

from lllcourse.compression import dense
from lllcourse.compression.distillation import ask, averaged, taught

from ._runs import SEEDS, SHARED, TEACHER, facts, few, student

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = SHARED | {"members": 5, "images": [400, 3500]}


def run(seed, sizes, T, epochs, members, images) -> dict:
    own = [seed, *(1000 + 10 * seed + i for i in range(1, members))]
    teachers = [dense.trained(TEACHER, s) for s in own]
    ways = {
        "average": taught(*teachers, T=T),
        "in turn": taught(*teachers, T=T, in_turn=True),
    }
    students = {}
    for n in map(str, images):
        how = sizes, seed, few(int(n), seed), epochs[n]
        students[n] = {way: facts(student(*how, loss)) for way, loss in ways.items()}
    return {
        "members": [facts(teacher) for teacher in teachers],
        "ensemble": facts(Together(teachers)),
        "students": students,
    }


class Together:
    """The averaged probabilities of several networks, as a network is asked."""

    def __init__(self, networks):
        self.networks, self.parameters = networks, networks[0].parameters

    def __call__(self, x):
        return averaged([ask(network, x) for network in self.networks], 1)

"""What the tests of recorded runs share."""

import hashlib

from lllcourse.results import FOLDER, recorded
from tools import results

#: Slices that take half a minute or more: proofs, each with the records of which it makes a part again.
LONG = {
    "a slice of the memories": ("memory/bounds", "memory/gem", "memory/replay"),
    "a slice of the orders": ("orders",),
    "a slice of the resources": ("resources",),
    "a slice of rehearsal": ("scenarios/rehearsal",),
    "a slice of the questions": ("questions",),
}


def experiment(name):
    """The module of a recorded result and its first recorded run."""
    return results.load(name), recorded(name)["runs"][0]


def made_of(long):
    """A hash of the records behind a long slice: they know the code that made them."""
    digest = hashlib.sha256()
    for name in LONG[long]:
        digest.update((FOLDER / f"{name}.json").read_bytes())
    return digest.hexdigest()[:16]

"""Submissions that try to get points, to see, to leave or to break what is not theirs.

An attack answers wrongly, so that whatever it gets above `earns` it got by the attack. Where two attacks cannot disturb
each other they share a submission (`packed`), since each submission costs seconds.
"""

from . import CELLS, RIGHT, find, released
from .answers import ANSWERS, TRAINING
from .attack import Attack
from .channel import CHANNEL
from .files import FILES
from .limits import LIMITS
from .patches import PATCHED
from .processes import PROCESSES, SETUP
from .prying import FINDING, LEAVING, READING
from .values import FUNCTIONS, RAISES, VALUES, Value, answer


def of_value(value: Value, cell: str) -> Attack:
    """A submission whose only answer is this value."""
    return Attack(value.name, "a check that takes it for right, or falls over it",
                  {name: find(released(), name)["source"] for name in RIGHT} | {cell: answer(value, cell)},
                  slow=value.slow)  # fmt: skip


def packed(values, start=0) -> list[Attack]:
    """Submissions with as many of these values as there are functions, one in each."""
    cells, packs = list(FUNCTIONS), []
    for n in range(0, len(values), len(cells)):
        some = values[n : n + len(cells)]
        turned = [cells[(i + start + n // len(cells)) % len(cells)] for i in range(len(some))]
        answers = {cell: answer(value, cell) for cell, value in zip(turned, some, strict=True)}
        name, why = " + ".join(v.name for v in some), "a check that takes one for right, or falls over it"
        packs.append(Attack(name, why, answers, slow=any(v.slow for v in some)))
    return packs


LIGHT = [value for value in VALUES + RAISES if not value.heavy and not value.slow]
HARD = [value for value in VALUES + RAISES if value.heavy or value.slow]
VALUE_PACKS = packed(LIGHT)
SINGLE = [of_value(value, list(CELLS.values())[n % len(CELLS)]) for n, value in enumerate(HARD)]

ATTACKS = [
    *PATCHED, *READING, LEAVING, FINDING, *PROCESSES, *SETUP, *CHANNEL, *LIMITS, *ANSWERS, *TRAINING, *FILES,
    *VALUE_PACKS, *SINGLE,
]  # fmt: skip

# What `make test` runs: of every group those that differ most.
SLICE = (
    "patched: everything at once",
    "looks for everything",
    "exits a cell in every way",
    "ends the process in a function",
    "ends while the setup runs",
    "two replies",
    "a network made of lies",
    "prints 1 GB",
    "a function that catches everything",
    "memory bit by bit",
    "knows the visible examples",
    "gives the given function another body",
    "tests of its own beside the tests",
    *(pack.name for pack in VALUE_PACKS[:2]),
)

"""Methods that hold on to old data, or to old answers, in the table of Part I."""

from lllcourse.lifelong.agem import AGEM
from lllcourse.lifelong.gem import GEM
from lllcourse.lifelong.generative_replay import GenerativeReplay
from lllcourse.lifelong.icarl import ICaRL
from lllcourse.lifelong.lwf import LwF
from lllcourse.lifelong.replay import Replay
from lllcourse.settings import SPLIT

from ._table import SEEDS, table

__all__ = ["SEEDS", "SETTINGS", "run"]

PAIRS = 5
SETTINGS = SPLIT | {
    "memory": 200,  # images in all, at the end
    "options": {
        "LwF": [0.1, 0.25, 0.5, 1, 2, 4],
        "GEM": [0, 0.5],  # the margin
        "generative replay": [400, 800],
    },
}


def run(seed, sizes, train, memory, options) -> dict:
    """{scenario: {method: {option: what was measured}}}; the option of a method that has none is ""."""
    each = memory // PAIRS
    makers = {
        "LwF": LwF,
        "GEM": lambda margin: GEM(each, margin, seed),
        "A-GEM": lambda _: AGEM(each, seed=seed),
        "replay": lambda _: Replay(memory, seed=seed),
        "generative replay": lambda steps: GenerativeReplay(steps, seed=seed),
        "iCaRL": lambda _: ICaRL(memory, seed=seed),
    }
    return table(makers, options, seed, sizes, train)

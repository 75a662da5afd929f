"""Methods that give each task weights of its own, in the table of Part I."""

from lllcourse.lifelong.cpg import CPG
from lllcourse.lifelong.packnet import PackNet
from lllcourse.lifelong.progressive import Progressive, ProgressiveMLP
from lllcourse.settings import SPLIT

from ._table import SEEDS, table

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = SPLIT | {
    "options": {
        "PackNet": [0.25, 0.5],  # the share of the free weights that a task keeps
        "CPG": [0.25, 0.5],
    },
}


def run(seed, sizes, train, options) -> dict:
    """{scenario: {method: {option: what was measured}}}; the option of a method that has none is ""."""
    columns = {"progressive networks": lambda _: Progressive()}
    packed = {
        "PackNet": lambda keep: PackNet(keep, seed=seed),
        "CPG": lambda keep: CPG(keep, 0.97, seed=seed),
    }
    result = table(columns, {}, seed, sizes, train, ProgressiveMLP)
    for scenario, found in table(packed, options, seed, sizes, train).items():
        result[scenario] |= found
    return result

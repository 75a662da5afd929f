"""The running table, its first rows: the dense networks themselves."""

from lllcourse.compression import dense

from ._table import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"networks": dense.TRAINING}


def run(seed, networks) -> dict:
    return {name: {"dense": facts(dense.trained(name, seed))} for name in networks}

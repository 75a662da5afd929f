"""GEM, with two margins, and A-GEM, by the images that they keep of each task."""

from lllcourse.lifelong.agem import AGEM
from lllcourse.lifelong.gem import GEM
from lllcourse.settings import PERMUTED
from lllcourse.tasks import permuted

from ._runs import BATCH, MEMORIES, SEEDS, measure

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = PERMUTED | {"memories": MEMORIES, "batch": BATCH, "margins": [0, 0.5]}


def run(seed, T, sizes, train, memories, batch, margins) -> dict:
    """For each method {images kept of each task: what `facts` tells}."""
    tasks = permuted(T, seed)
    makers = {f"GEM, margin {m:g}": lambda n, m=m: GEM(n, m, seed) for m in margins}
    makers["A-GEM"] = lambda n: AGEM(n, batch, seed)
    return {
        name: {str(n): measure(make(n), tasks, seed, sizes, train) for n in memories} for name, make in makers.items()
    }

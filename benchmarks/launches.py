"""How long a chapter may take on a GPU: `PYTHONPATH=. python benchmarks/launches.py [chapter.ipynb ...]`.

For most of the time a GPU waits for the next operation of such small networks, so that the time is about the number of
operations that are started. Each chapter is run here at its gpu scale, in a process of its own; all operations are
counted but for views, and each counts as 40 microseconds: so long they took in `seeds_time.py` on an H100, one seed
after another (39 to 45 with torch 2.11). What the arithmetic takes beyond that is not counted, nor what drawing takes.
(`full_size_launches.py` does so for the page of the full data sets, which is too long for a CPU.)
"""

import multiprocessing
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import lllcourse
from tools.notebooks import executed_cells, source_of

CHAPTERS = (Path(__file__).parents[1] / "book").glob("*/[0-9][0-9]_*.ipynb")
MICROSECONDS = 40


class Launches(TorchDispatchMode):
    """Inside, counts in `counted[section]` what a GPU would be given to do."""

    def __init__(self):
        super().__init__()
        self.section, self.counted = "", Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        aliases = [value.alias_info for value in func._schema.returns]
        self.counted[self.section] += not any(alias and not alias.is_write for alias in aliases)
        return func(*args, **(kwargs or {}))


def line(name, launches):
    return f"{name:45}{launches / 1e6:8.2f} million operations{launches * MICROSECONDS / 6e7:8.1f} minutes"


def count(chapter: Path):
    os.chdir(chapter.parent)
    torch.set_num_threads(1)
    matplotlib.use("Agg")
    lllcourse.scale = "gpu"
    names = {"__name__": "__main__"}
    with Launches() as launches, redirect_stdout(None):
        for cell in executed_cells(chapter):
            exec(compile(source_of(cell), f"{chapter.name}, cell {cell['id']}", "exec"), names)
    return launches.counted.total()


if __name__ == "__main__":
    chapters = [Path(name).resolve() for name in sys.argv[1:]] or sorted(CHAPTERS)
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, max_tasks_per_child=1) as one_by_one:
        for chapter, launches in zip(chapters, one_by_one.map(count, chapters), strict=True):
            print(line(chapter.stem, launches), flush=True)

"""Run a chapter's code from top to bottom on the fake device: `python -m tests.book.on_the_device chapter.ipynb`.

What a GPU would refuse (a tensor of the CPU beside one of the GPU, a tensor as an array) is an error here. Prints how
many operations ran on the device.
"""

import os
import sys
from pathlib import Path

import lllcourse
from tools.notebooks import executed_cells, source_of

from ..fake_device import DEVICE, fake_device, operations


def run(path: Path):
    lllcourse.device = lambda: DEVICE
    lllcourse.scale = "smoke"
    names = {"__name__": "__main__"}
    with fake_device():
        for cell in executed_cells(path):
            exec(compile(source_of(cell), f"{path.name}, cell {cell['id']}", "exec"), names)


if __name__ == "__main__":
    chapter = Path(sys.argv[1]).resolve()
    os.chdir(chapter.parent)
    run(chapter)
    print(f"\n{len(operations)} kinds, {sum(operations.values())} operations on the device")

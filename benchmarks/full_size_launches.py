"""How long `book/guides/full_size.ipynb` may take on a GPU: run `PYTHONPATH=. python benchmarks/full_size_launches.py`.

For most of the time a GPU waits for the next operation of such small networks, so that the time is about the number of
operations that are started. They do not depend on the widths, and grow in a straight line with images and epochs. So
the page is run at its gpu scale with narrow networks, one epoch and few images, then with twice as many of one data
set, and of the other; operations are counted as in `launches.py`, and the line is followed to the full data and all
epochs (an importance, which is measured once, is counted for each epoch).
"""

from contextlib import redirect_stdout
from pathlib import Path

import nbformat
import torch
from launches import Launches, line

import lllcourse
from lllcourse import tasks
from lllcourse.data import Split, Task

PAGE = Path(__file__).parents[1] / "book/guides/full_size.ipynb"
FULL = {"mnist": 50_000, "cifar10": 41_670}  # training images
PIXELS = {"mnist": 784, "cifar10": 3072}
FEW = 160
SHORT = """
full, few_maps = dict(sizes), (2,) * len(sizes["maps of the residual network"])
sizes |= {"hidden units": 8, "maps of the residual network": few_maps, "images in the memory": 100}
sizes |= {name: 1 for name in sizes if name.startswith("epochs")}
"""
GENTLE = {"0.8**n": "0.98**n", "0.6, 0.8, 0.88, 0.92": "0.1, 0.2, 0.3, 0.4"}  # so short a training has no large weights
EPOCHS = {"Permuted": "epochs, permuted", "Split": "epochs, split", "Few": "epochs, split"}
EPOCHS |= {"Lottery": "epochs, LeNet-300-100", "Forty": "epochs, LeNet-300-100"}


def count(images):
    """The operations of each section, with so many training images of each data set."""
    global sizes

    def few(name, download=False):
        draws = torch.Generator().manual_seed(0)
        parts = [Split(torch.rand(n, PIXELS[name], generator=draws), torch.arange(n) % 10) for n in (images[name], 100)]
        return Task(name, parts[0], parts[1], parts[1], tuple(range(10)))

    tasks.dataset, lllcourse.scale = few, "gpu"
    names = {"__name__": "__main__"}
    with Launches() as launches, redirect_stdout(None):
        for cell in nbformat.read(PAGE, as_version=4).cells:
            if cell.cell_type == "markdown" and cell.source.startswith("## "):
                launches.section = cell.source.split("\n")[0].removeprefix("## ")
            elif cell.cell_type == "code" and cell.id != "bootstrap" and not cell.id.endswith(("-table", "-figure")):
                for old, new in GENTLE.items():
                    cell.source = cell.source.replace(old, new)
                exec(cell.source + SHORT * (cell.id == "sizes"), names)
    sizes = names["full"]
    return launches.counted


if __name__ == "__main__":
    base = count(dict.fromkeys(FULL, FEW))
    more = {name: count(dict.fromkeys(FULL, FEW) | {name: 2 * FEW}) for name in FULL}
    total = 0
    for section in base:
        slopes = {name: (more[name][section] - base[section]) / FEW for name in FULL}
        launches = base[section] + sum(slopes[name] * (n - FEW) for name, n in FULL.items())
        launches *= sizes.get(EPOCHS.get(section.split()[0]), 1)
        total += launches
        print(line(section, launches))
    print(line("together", total))

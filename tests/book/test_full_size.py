"""The page for full data sets: its code for them runs, on small stand-ins of their shapes."""

import torch

import lllcourse
from lllcourse import tasks
from lllcourse.data import Split, Task

from .notebooks import ROOT, code_of, runs

PAGE = ROOT / "book/guides/full_size.ipynb"


def stand_in(name, folder="data", *, download=False):
    """600 images of the data set's shape; what is asked for is noted."""
    asked.append((name, download))
    pixels, draws = {"mnist": 784, "cifar10": 3 * 32 * 32}[name], torch.Generator().manual_seed(0)
    y = torch.arange(600) % 10
    part = Split(torch.rand(600, pixels, generator=draws), y)
    return Task(name, part, part, part, tuple(range(10)))


asked = []


@runs(PAGE)
def test_with_a_gpu_the_page_asks_for_both_data_sets_and_computes_with_their_shapes(monkeypatch):
    monkeypatch.setattr(lllcourse, "scale", "gpu")
    monkeypatch.setattr(lllcourse, "at_scale", lambda *, smoke, laptop, gpu: smoke)
    monkeypatch.setattr(tasks, "dataset", stand_in)
    asked.clear()
    names = {"__name__": "__main__"}
    for cell in code_of(PAGE):
        exec(cell, names)
    assert asked == [("mnist", True), ("cifar10", True)]
    assert names["image"] == (3, 32, 32) and names["sequence"][0].train.x.shape == (600, 784)
    assert names["small"].bytes < 600_000


def test_without_a_gpu_nothing_is_fetched(monkeypatch):
    monkeypatch.setattr(lllcourse, "scale", "laptop")
    asked.clear()
    names = {"lllcourse": lllcourse, "dataset": stand_in, "digits": tasks.digits}
    [cell] = [cell for cell in code_of(PAGE) if "def images" in cell]
    exec(cell, names)
    assert asked == [] and names["mnist"].name == tasks.digits().name

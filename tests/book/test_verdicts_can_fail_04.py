"""A page whose verdict cannot fail proves nothing: take the projection out of GEM, and chapter 04 has to notice."""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from lllcourse.notebook import CLAIM_TYPE

ROOT = Path(__file__).parents[2]
CHAPTER = "book/lifelong/04_gradient_episodic_memory.ipynb"
BREAK = """
from lllcourse.lifelong import gem
gem.project = lambda g, G, margin=0.0: g
"""
# What the verdict on L26 is computed from, and no more; with one seed, to save time.
NEEDED = [
    *("parameters", "tasks", "replay", "l26-run", "l26-gems", "l26-all", "l26-lines"),
    *("l26-choose", "l26-closed", "l26-claim"),
]


def parts(notebook):
    """The parts of the verdict on L26, a list of bool."""
    (found,) = [
        output.data[CLAIM_TYPE]["parts"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if CLAIM_TYPE in output.get("data", {})
    ]
    return found


def test_without_the_projection_the_verdict_on_gem_fails():
    intact = nbformat.read(ROOT / "_build/executed" / CHAPTER, as_version=4)
    assert any(parts(intact))
    broken = nbformat.read(ROOT / CHAPTER, as_version=4)
    by_id = {cell.id: cell for cell in broken.cells}
    by_id["parameters"].source += "\nseeds = range(1)"
    broken.cells = [nbformat.v4.new_code_cell(BREAK), *(by_id[i] for i in NEEDED)]
    environment = os.environ | {"LLLCOURSE_SCALE": "laptop", "OMP_NUM_THREADS": "1"}
    NotebookClient(broken, timeout=600, kernel_name="python3").execute(env=environment)
    assert not any(parts(broken)), "GEM without its projection must not hold"

"""A page whose verdict cannot fail proves nothing: break EWC on purpose, and chapter 03 has to notice."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from lllcourse.notebook import CLAIM_TYPE

ROOT = Path(__file__).parents[2]
CHAPTER = "book/lifelong/03_selective_synaptic_plasticity.ipynb"

BREAK = {
    "lambda is 0": """
from lllcourse.lifelong import ewc
original = ewc.EWC.__init__
def broken(self, lam, **settings):
    original(self, 0.0, **settings)
ewc.EWC.__init__ = broken
""",
    "importance is zeroed": """
import torch
from lllcourse.lifelong import ewc
ewc.importance = lambda model, *args, **settings: [torch.zeros_like(p) for p in model.parameters()]
""",
}
MUST_CHANGE = {
    "lambda is 0": {"L19", "L21", "L22", "L23"},
    "importance is zeroed": {"L19", "L20", "L21", "L22", "L23"},
}


def verdicts(notebook):
    return {
        output.data[CLAIM_TYPE]["row"]: output.data[CLAIM_TYPE]["parts"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if CLAIM_TYPE in output.get("data", {})
    }


@pytest.mark.parametrize("how", BREAK)
def test_breaking_ewc_changes_the_verdicts_of_its_chapter(how):
    intact = verdicts(nbformat.read(ROOT / "_build/executed" / CHAPTER, as_version=4))
    broken = nbformat.read(ROOT / CHAPTER, as_version=4)
    exercises = next(
        n
        for n, cell in enumerate(broken.cells)
        if cell.source.startswith("## Exercises")
    )
    broken.cells = [nbformat.v4.new_code_cell(BREAK[how]), *broken.cells[:exercises]]
    environment = os.environ | {"LLLCOURSE_SCALE": "laptop", "OMP_NUM_THREADS": "1"}
    NotebookClient(
        broken, timeout=600, allow_errors=True, kernel_name="python3"
    ).execute(env=environment)
    after = verdicts(broken)
    assert {row for row in MUST_CHANGE[how] if after.get(row) == intact[row]} == set()
    assert not any(all(after.get(row, [False])) for row in MUST_CHANGE[how]), (
        "a broken EWC must not hold"
    )

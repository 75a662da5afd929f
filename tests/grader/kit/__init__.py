"""Submissions to the assignment `ewc` that were not made by honest and careful students, as data.

attacks.py: what must earn nothing, read nothing and leave nothing, by groups in files of their own. oddities.py,
odd_files.py, folders.py: what must lose nothing. All are built from the committed release, since that is what students
get. A cell is named by its id. surroundings.py grades one, and looks whether something around it was seen or touched.
"""

import copy
import json
import re
from functools import cache

from .. import harness

NAME = "ewc"
POINTS = harness.source(NAME).points
WRITTEN = "interpretation"  # the cell that a person reads
CELLS = {name: cell.id for cell in harness.source(NAME).role("solution") for name in cell.functions}
RIGHT = {  # from a cell's id to its source
    cell.id: re.sub(r"(?m)^ *### (BEGIN|END) SOLUTION\n?", "", cell.source).rstrip()
    for cell in harness.source(NAME).role("solution")
}

# Each returns something of the right kind and shape that is wrong for every test, so that whoever switches a check off
# would earn its points.
WRONG = {
    "importance": "def importance(model, x, y):\n"
    "    return to_vector([p.detach() * 0 - 1 for p in model.parameters()])",
    "output-importance": "def output_importance(model, x):\n"
    "    return to_vector([p.detach() * 0 - 1 for p in model.parameters()])",
    "common-top": "def common_top(first, second, k):\n    return -1.0",
    "penalty": "def penalty(theta, importances, anchors, lam):\n    return theta.sum() * 0 - 1",
    "remember": "def remember(model):\n    return {n: torch.zeros_like(p) - 1 for n, p in model.named_parameters()}",
    "fold": "def fold(importances, anchors):\n    return anchors[0] * 0 - 1, anchors[0] * 0 - 1, -1.0",
    "proximal-step": "def proximal_step(theta, gradient, B, A, lam, lr):\n    return theta * 0 - 1",
    "best-lambda": "def best_lambda(tables, slack):\n    return -1.0",
}


@cache
def _released():
    return (harness.ROOT / "assignments" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")


def released() -> dict:
    """The notebook that students get, each source in one text."""
    notebook = json.loads(_released())
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def find(notebook, name) -> dict:
    """The cell with this id. Raises KeyError where there is none."""
    for cell in notebook["cells"]:
        if cell["id"] == name:
            return cell
    raise KeyError(name)


def code(source, name="added", **metadata) -> dict:
    """A code cell."""
    made = {"cell_type": "code", "id": name, "metadata": metadata, "source": source}
    return made | {"outputs": [], "execution_count": None}


def text(source, name="added-text", **metadata) -> dict:
    """A Markdown cell."""
    return {"cell_type": "markdown", "id": name, "metadata": metadata, "source": source}


def after(notebook, name, *cells) -> dict:
    """`notebook` with these cells behind the one with the id `name`, or at the top where that is None."""
    at = 0 if name is None else notebook["cells"].index(find(notebook, name)) + 1
    notebook["cells"][at:at] = cells
    return notebook


def filled(sources, answer=None) -> dict:
    """The release with these sources in its cells; the other solution cells stay as they were released."""
    notebook = released()
    for name, source in sources.items():
        find(notebook, name)["source"] = source
    if answer is not None:
        find(notebook, WRITTEN)["source"] = answer
    return notebook


def solved(**changed) -> dict:
    """A right notebook, where these solutions stand in the place of the right ones: `best_lambda="..."`."""
    return filled(copy.copy(RIGHT) | {CELLS[name]: source for name, source in changed.items()}, "Stiffer is stiffer.")


def to_bytes(notebook) -> bytes:
    """What stands in the file."""
    return notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()

"""Notebooks as students hand them in, made from the release."""

import copy
import json

from nbgrader.api import Gradebook

from . import harness
from .kit import CELLS, NAME, POINTS, WRITTEN, find, released

ROOT = harness.ROOT
__all__ = [
    "NAME",
    "POINTS",
    "ROOT",
    "WRITTEN",
    "automatic_points",
    "filled",
    "find",
    "hand_in",
    "mangled",
    "released",
    "solution",
]


def filled(functions, *, with_demos=False):
    """The release with these functions in it, each a source, and a written answer."""
    notebook = released()
    if not with_demos:  # a student may well delete them
        notebook["cells"] = [cell for cell in notebook["cells"] if "demo" not in cell["metadata"].get("tags", [])]
    for name, source in functions.items():
        find(notebook, CELLS[name])["source"] = source
    find(notebook, WRITTEN)["source"] = "Lambda is how strong the penalty is."
    return notebook


def solution():
    return {name: harness.source(NAME).cell(cell).source for name, cell in CELLS.items()}


def mangled():
    """Two answers, one of them for the example only, in a notebook that editors and haste have damaged."""
    notebook = filled(
        {
            "remember": "import warnings\n\n\ndef remember(model):\n    warnings.warn('harmless')\n"
            "    return {name: p.detach().clone() for name, p in model.named_parameters()}",
            "best_lambda": "def best_lambda(tables, slack):\n    return 2.0",
        }
    )
    test = find(notebook, "test-remember")
    twin = copy.deepcopy(test) | {"id": "twin", "source": "assert False"}
    notebook["cells"].insert(notebook["cells"].index(test), twin)
    find(notebook, "penalty")["metadata"]["nbgrader"]["schema_version"] = 1
    notebook["cells"].remove(find(notebook, "test-best-lambda"))
    find(notebook, "test-penalty")["source"] = "pass  # the test that a student rewrote"
    return notebook


def hand_in(folder, student, content, name="", assignment=NAME):
    """Put a notebook (or any text or bytes) where a class keeps what `student` handed in."""
    path = folder / "submitted" / student / assignment / (name or f"{assignment}.ipynb")
    path.parent.mkdir(parents=True, exist_ok=True)
    content = content if isinstance(content, (str, bytes)) else json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def automatic_points(folder, student, assignment=NAME):
    """Of every test cell, as the gradebook holds them."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "lllcourse") as book:
        notebook = book.find_submission_notebook(assignment, assignment, student)
        return {g.name: g.auto_score for g in notebook.grades if g.name in harness.source(assignment).points}

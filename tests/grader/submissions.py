"""Notebooks as students hand them in, made from the release."""

import copy
import json
from pathlib import Path

from . import harness

ROOT = Path(__file__).parents[2]
NAME = "ewc"
POINTS = harness.source(NAME).points
WRITTEN = "interpretation"  # the cell that a person grades


def released():
    path = ROOT / "assignments" / NAME / f"{NAME}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))


def filled(functions, *, with_demos=False):
    """The release with these functions in it, each a source, and a written answer."""
    notebook = released()
    if not with_demos:  # a student may well delete them
        notebook["cells"] = [cell for cell in notebook["cells"] if "demo" not in cell["metadata"].get("tags", [])]
    for cell in harness.source(NAME).role("solution"):
        ours = [functions[name] for name in cell.functions if name in functions]
        if ours:
            find(notebook, cell.id)["source"] = "\n\n".join(ours)
    find(notebook, WRITTEN)["source"] = "Lambda is how stiff all springs are."
    return notebook


def find(notebook, cell_id):
    return next(cell for cell in notebook["cells"] if cell["id"] == cell_id)


def solution():
    cells = harness.source(NAME).role("solution")
    return {name: cell.source for cell in cells for name in cell.functions}


def mangled():
    """Two answers, one of them for the example only, in a notebook that editors and haste have damaged."""
    notebook = filled(
        {
            "remember": "import warnings\n\n\ndef remember(model):\n    warnings.warn('harmless')\n"
            "    return [p.detach().clone() for p in model.parameters()]",
            "best_lambda": "def best_lambda(tables):\n    return 1.0",
        }
    )
    test = find(notebook, "test-remember")
    twin = copy.deepcopy(test) | {"id": "twin", "source": "assert False"}
    notebook["cells"].insert(notebook["cells"].index(test), twin)
    find(notebook, "penalty")["metadata"]["nbgrader"]["schema_version"] = 1
    notebook["cells"].remove(find(notebook, "test-best-lambda"))
    find(notebook, "test-penalty")["source"] = "pass  # the test that a student rewrote"
    return notebook


def hand_in(folder, student, content, name=f"{NAME}.ipynb"):
    """Put a notebook (or any text or bytes) where a class keeps what `student` handed in."""
    path = folder / "submitted" / student / NAME / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = content if isinstance(content, (str, bytes)) else json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path

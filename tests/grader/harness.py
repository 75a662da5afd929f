"""Run an assignment's cells in plain Python, with other functions in place of the solution, and see what each earns."""

import json
from functools import cache, partial
from pathlib import Path

import pytest

from grader import assignment
from lllcourse.grading import check

from .. import proofs

ROOT = Path(__file__).parents[2]
NAMES = assignment.names(ROOT)
mistakes, alternatives = partial(assignment.mistakes, ROOT), partial(assignment.alternatives, ROOT)
SOLUTIONS = sorted((ROOT / "solutions").glob("*/*.ipynb"))


@cache
def source(name):
    """The source notebook of the assignment `name`."""
    return assignment.read(ROOT / "solutions" / name / f"{name}.ipynb")


def rests_on(name, *files):
    """A hash of the assignment `name` with its known answers, mistakes and metrics, of what they import, and of these
    files.
    """
    own = {key: entry for key, entry in check.reference_metrics().items() if entry["setting"]["assignment"] == name}
    parts = [path for part in ("solutions", "assignments") for path in (ROOT / part / name).iterdir() if path.is_file()]
    texts = (Path(path).read_text("utf-8") for path in (*sorted(parts), __file__, *files))
    return proofs.rests_on(source(name).path, *texts, json.dumps(own))


def prove_each(*files):
    """Make a test a proof for each assignment, which rests on that assignment and on these files."""
    marks = {name: pytest.mark.prove(on=partial(rests_on, name, *files)) for name in NAMES}
    return pytest.mark.parametrize("name", [pytest.param(name, marks=marks[name]) for name in NAMES])


@cache
def compiled(name, cell, part):
    """The code of a test cell: all of it ("source"), or its "visible" or "hidden" part."""
    return compile(getattr(source(name).cell(cell), part), f"<{cell}>", "exec")


class Submission:
    """An assignment with the functions of `replace` in place of the solution's."""

    def __init__(self, name, replace=None):
        self.name = name
        self.names = source(name).namespace(replace)

    def error(self, cell, part="source"):
        """What the test cell `cell`, or a part of it, raises; None where it passes.

        It runs on a copy of the names, so that no test sees what another one made, as in a runner with two processes.
        """
        try:
            exec(compiled(self.name, cell, part), dict(self.names))
        except Exception as error:  # a student's code may raise anything
            return error
        return None


def points_from_top_to_bottom(cells):
    """The points of every test cell, all cells run in one namespace, as a kernel does: after an error it goes on.

    Returns also the errors, by cell id.
    """
    check.use()
    names, points, errors = {"__name__": "__main__"}, {}, {}
    for cell in cells:
        if cell.role in ("text", "bootstrap", "answer") or "check.report" in cell.source:
            continue
        try:
            exec(compile(cell.source, f"<{cell.id}>", "exec"), names)
        except Exception as error:
            errors[cell.id] = error
        if cell.role == "test":
            points[cell.id] = 0.0 if cell.id in errors else cell.points
            check.outcomes[cell.id] = cell.id not in errors
    check.use()
    return points, errors

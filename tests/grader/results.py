"""Results made by hand, as the runner would give them, so that no test of what is written needs a run."""

import json
from functools import cache
from pathlib import Path

from grader import assignment, outcome

ROOT = Path(__file__).parents[2]
NAME = "ewc"
WRITTEN = "interpretation"  # the cell that a person grades
ANSWER = "Lambda is how **strong** the penalty is."


@cache
def stubs():
    """What the release has in each cell that a student fills in, by id."""
    released = assignment.read(ROOT / "assignments" / NAME / f"{NAME}.ipynb")
    return {cell.id: cell.source for cell in released.role("solution", "answer")}


def result(source, student="ada", *, answer=ANSWER, code=None, failed=(), added=(), waiting=None, tests=None):
    """A result of the assignment at the path `source`, where the tests in `failed` failed.

    answer: the written one, None for an untouched one. code: solutions, by id; the others are untouched. added: cells
    of the student's own, put in before the written answer. tests: other Tests, by id.
    """
    made = {
        cell.id: outcome.Test(cell.id, 0.0, cell.points, "failed", "Think of the signs.")
        if cell.id in failed
        else outcome.Test(cell.id, cell.points, cell.points, "passed")
        for cell in assignment.read(source).role("test")
    }
    cells = []
    for cell in assignment.read(source).cells:
        theirs = {WRITTEN: answer, **(code or {})}.get(cell.id)
        if cell.id == WRITTEN:
            cells.extend(added)
        if cell.role in ("solution", "answer"):
            text, touched = (stubs().get(cell.id, "# YOUR CODE HERE"), False) if theirs is None else (theirs, True)
        else:
            text, touched = cell.source, True
        cells.append(outcome.Cell(cell.id, cell.role, text, touched))
    if waiting is None:
        waiting = [WRITTEN] if answer is not None else []
    waiting = [name for name in waiting if any(cell.id == name for cell in cells)]
    return outcome.Result(NAME, student, "key", list((made | (tests or {})).values()), cells, waiting, [])


HOSTILE = """\
The gain is $a < b$, and this is **mine**.

<script>steal()</script> <img src="x" onerror="steal()"> <iframe src="https://example.org"></iframe>
<img src="https://example.org/counts-readers.png" alt="a picture from elsewhere">
![a picture that was not handed in](attachment:image.png)

[press](javascript:steal()) [here](data:text/html,<script>steal()</script>)

```mermaid
<img src="x" onerror="steal()">
```
"""
BREAKS_OUT = "</pre></details></style><script>steal()</script><img src=x onerror=steal()>\x1b[31m\x00\ud83d{{ 7 * 7 }}"


def hostile(source, student="hostile"):
    """A result whose every text tries to run in the page, or to end what it stands in."""
    made = result(source, student, answer=HOSTILE)
    cells = [
        outcome.Cell(cell.id, cell.role, BREAKS_OUT, True, BREAKS_OUT, BREAKS_OUT)
        if cell.role == "solution"
        else outcome.Cell(cell.id, cell.role, cell.source, True, BREAKS_OUT, BREAKS_OUT)
        if cell.role == "student-side"
        else cell
        for cell in made.cells
    ]
    cells += [
        outcome.Cell("added-1", "added", BREAKS_OUT, True, BREAKS_OUT, BREAKS_OUT),
        outcome.Cell("added-2", "added-text", HOSTILE + BREAKS_OUT),
    ]
    tests = [outcome.Test(t.id, 0.0, t.most, "failed", BREAKS_OUT, "secret " + BREAKS_OUT, True) for t in made.tests]
    return outcome.Result(NAME, student, "key", tests, cells, made.waiting, [BREAKS_OUT])


def change(path, edit):
    """Let `edit` change the cells of the notebook at `path`, a dictionary by id; what it deletes is gone."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    edit(cells)
    notebook["cells"] = list(cells.values())
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")

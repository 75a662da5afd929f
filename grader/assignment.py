"""An assignment's source notebook, read by the roles of its cells, and its code run with other functions in it.

Whoever runs an assignment outside Jupyter (the reference metrics, the proofs in the tests, a grader) takes the cells
from here, so that no second copy of an experiment or of a test can drift away from the notebook.
"""

import ast
import json
import re
import runpy
import textwrap
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
CODE_STUB, TEXT_STUB = "# YOUR CODE HERE\nraise NotImplementedError()", "YOUR ANSWER HERE"  # as in nbgrader_config.py
GIVEN_TAGS = ("bootstrap", "student-side", "demo")
#: What the student's process has of the package, besides `grading.check`: never a method.
OPEN = {
    "checks", "data", "device", "digits", "figures", "losses", "metrics", "models", "notebook", "tasks", "training",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One cell. role: what it is for and so where it runs (see `Assignment`). points: of a graded cell, else 0."""

    id: str
    role: str
    source: str
    points: float = 0.0

    @property
    def visible(self) -> str:
        """The source without its hidden tests."""
        return re.sub(_between(BEGIN_HIDDEN, END_HIDDEN), "", self.source).rstrip()

    @property
    def hidden(self) -> str:
        """The hidden tests alone, without their markers."""
        found = re.search(_between(BEGIN_HIDDEN, END_HIDDEN), self.source)
        return found[1] if found else ""

    @property
    def stub(self) -> str:
        """What the release has in its place, made as nbgrader's ClearSolutions and ClearHiddenTests do."""
        if self.role not in ("solution", "answer"):
            return self.visible
        stub, lines, within = CODE_STUB if self.role == "solution" else TEXT_STUB, [], False
        for line in self.source.split("\n"):
            if "BEGIN SOLUTION" in line:
                within, indent = True, re.match(r"\s*", line)[0]
                lines += [indent + replaced for replaced in stub.split("\n")]
            elif "END SOLUTION" in line:
                within = False
            elif not within:
                lines.append(line)
        return "\n".join(lines) if "BEGIN SOLUTION" in self.source else stub

    @property
    def hidden_from(self) -> int:
        """The number of the line where the hidden tests begin; beyond the last line where there are none."""
        lines = self.source.splitlines()
        return next((n for n, line in enumerate(lines, 1) if BEGIN_HIDDEN in line), len(lines) + 1)

    @property
    def functions(self) -> list[str]:
        """The names of the functions that it defines."""
        nodes = ast.parse(self.source).body if self.role != "text" else []
        return [node.name for node in nodes if isinstance(node, ast.FunctionDef)]


@dataclass(frozen=True)
class Assignment:
    """The cells of a source notebook, in order. Roles, and where a runner with two processes runs each:

    "text" (nowhere), "bootstrap" (nowhere), "given" (in both), "student-side" (with the student's code), "demo"
    (nowhere), "solution" (the student's code), "test" (with the grader), "answer" (graded by hand).
    withheld: the modules of lllcourse that would answer the questions, besides the methods, which always would.
    """

    path: Path
    cells: list[Cell]
    withheld: list[str] = field(default_factory=list)

    def role(self, *roles) -> list[Cell]:
        """The cells of these roles, in order."""
        return [cell for cell in self.cells if cell.role in roles]

    def cell(self, name) -> Cell:
        """The cell with this id. Raises KeyError, naming those that exist."""
        for cell in self.cells:
            if cell.id == name:
                return cell
        raise KeyError(f"{self.path} has no cell {name!r}; it has {', '.join(cell.id for cell in self.cells)}")

    @property
    def points(self) -> dict[str, float]:
        """The points of every test cell, by its id."""
        return {cell.id: cell.points for cell in self.role("test")}

    def namespace(self, replace=None, given=None) -> dict:
        """What the notebook defines without its tests and demos, where `replace` takes the place of some solutions.

        replace: from a function's name to the source that defines it instead, or to a function. given: what the given
        cells defined, where they have run already.
        Raises KeyError for a name that no solution cell defines.
        """
        replace = dict(replace or {})
        known = [name for cell in self.role("solution") for name in cell.functions]
        for name in replace:
            if name not in known:
                raise KeyError(f"no solution cell defines {name!r}; they define {', '.join(known)}")
        names = dict(given or {"__name__": "__main__"})
        for cell in self.role(*([] if given else ["given"]), "student-side", "solution"):
            ours = [name for name in cell.functions if name in replace] if cell.role == "solution" else []
            texts = [replace[name] for name in ours if isinstance(replace[name], str)]
            if not ours or len(ours) < len(cell.functions):
                texts.insert(0, cell.source)
            for text in texts:
                exec(compile(text, f"<{cell.id}>", "exec"), names)
            names.update({name: replace[name] for name in ours if not isinstance(replace[name], str)})
        return names


@dataclass(frozen=True)
class Mistake:
    """A known wrong version of one graded function.

    name: a few words. function: which function it replaces. hint: what its author should be told. source: the wrong
    version. fails: the ids of exactly those test cells on exact values that it fails. training: what becomes of the
    test on a whole training run: it "fails", it "passes", or "either" (it depends on the tasks, or nobody knows).
    """

    name: str
    function: str
    hint: str
    source: str
    fails: tuple[str, ...]
    training: str = "either"


def mistakes_in(signature, test="", training="either"):
    """A function that makes the known mistakes in one function: `mistake(name, hint, body)`.

    signature: "penalty(theta, lam)". test: the id of its test cell, by default test-penalty. A mistake's body may be
    indented or not; `source` is a whole source in its place.
    """
    function = signature.partition("(")[0]
    tests = (test or f"test-{function.replace('_', '-')}",)

    def mistake(name, hint, body="", *, source="", training=training):
        lines = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
        return Mistake(name, function, hint, source or f"def {signature}:\n{lines}\n", tests, training)

    return mistake


@dataclass(frozen=True, eq=False)
class Experiment:
    """A graded training run, for whose metrics there is a band: the hidden part of the test cell `test`.

    assignment: its id. reference: from the names of the functions that a student writes to those of the package.
    constants: names of the notebook that make up the setting.
    """

    assignment: str
    test: str
    reference: dict
    constants: tuple[str, ...]


def names(root: Path) -> list[str]:
    """The ids of all assignments, each the name of a folder in solutions/ and of the notebook in it."""
    folders = sorted(path for path in (root / "solutions").iterdir() if path.is_dir())
    return [path.name for path in folders if not path.name.startswith((".", "_"))]


@cache
def mistakes(root: Path, name: str) -> tuple[Mistake, ...]:
    """The known mistakes of an assignment; none where it has no catalogue."""
    path = root / "solutions" / name / "mistakes.py"
    return tuple(runpy.run_path(str(path))["MISTAKES"]) if path.is_file() else ()


@cache
def alternatives(root: Path, name: str) -> dict[str, dict[str, str]]:
    """The right solutions that are written differently: from a name to functions, each a source."""
    return runpy.run_path(str(root / "solutions" / name / "alternatives.py"))["ALTERNATIVES"]


def read(path) -> Assignment:
    """Read an assignment's source notebook. Raises ValueError for a cell whose role cannot be told."""
    return parse(json.loads(Path(path).read_text(encoding="utf-8")), path)


def parse(notebook, path="notebook") -> Assignment:
    """The assignment in a notebook's JSON. path: where it came from, for messages. Raises ValueError as `read`."""
    cells = [_cell(cell, path) for cell in notebook["cells"]]
    withheld = notebook["metadata"].get("lllcourse", {}).get("withheld", [])
    return Assignment(Path(path), cells, withheld)


def _cell(cell, path):
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    grading = cell["metadata"].get("nbgrader", {})
    graded, solution = grading.get("grade", False), grading.get("solution", False)
    name = grading.get("grade_id") or cell.get("id", "")
    if cell["cell_type"] != "code":
        role = "answer" if graded and solution else "text"
    elif graded:
        role = "answer" if solution else "test"
    elif solution:
        role = "solution"
    else:
        tags = [tag for tag in cell["metadata"].get("tags", []) if tag in GIVEN_TAGS]
        if len(tags) > 1:
            raise ValueError(f"{path}: the cell {name!r} is tagged {' and '.join(tags)}: keep one")
        role = tags[0] if tags else "given"
    return Cell(name, role, source, float(grading.get("points", 0)) if graded else 0.0)


def _between(begin, end):
    return rf"(?ms)^[ \t]*{begin}[ \t]*\n(.*?)^[ \t]*{end}[ \t]*\n?"

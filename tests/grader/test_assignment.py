"""The roles of an assignment's cells, and its code with other functions in it."""

from pathlib import Path

import pytest

from grader import assignment

ROOT = Path(__file__).parents[2]

TEST = """\
check.true(True, "Visible.")
### BEGIN HIDDEN TESTS
check.true(True, "Hidden.")
### END HIDDEN TESTS"""


def cell(name, source, kind="code", tags=(), **nbgrader):
    metadata = {"tags": list(tags)} if tags else {}
    if nbgrader:
        metadata["nbgrader"] = {"grade_id": name, **nbgrader}
    return {
        "cell_type": kind,
        "id": name,
        "source": source.splitlines(keepends=True),
        "metadata": metadata,
    }


NOTEBOOK = {
    "metadata": {"lllcourse": {"withheld": ["metrics"]}},
    "cells": [
        cell("title", "# Title", "markdown"),
        cell("bootstrap", "%pip install x", tags=["bootstrap", "remove-cell"]),
        cell("setup", "two = 2", locked=True),
        cell("double", "def double(x):\n    return two * x", solution=True),
        cell("halve", "def halve(x):\n    return x / two", solution=True),
        cell(
            "again",
            "def again(x):\n    return double(double(x))",
            tags=["student-side"],
            locked=True,
        ),
        cell("test", TEST, grade=True, points=2),
        cell("plot", "raise RuntimeError", tags=["demo"], locked=True),
        cell("words", "An answer.", "markdown", grade=True, solution=True, points=3),
    ],
}


def test_every_cell_has_a_role():
    a = assignment.parse(NOTEBOOK)
    assert [c.role for c in a.cells] == [
        "text", "bootstrap", "given", "solution", "solution", "student-side", "test", "demo", "answer",
    ]  # fmt: skip
    assert a.points == {"test": 2} and a.withheld == ["metrics"]
    assert a.cell("double").functions == ["double"]


def test_a_test_cell_has_a_visible_and_a_hidden_part():
    test = assignment.parse(NOTEBOOK).cell("test")
    assert test.visible == 'check.true(True, "Visible.")' and test.hidden == 'check.true(True, "Hidden.")\n'


@pytest.mark.parametrize("name", assignment.names(ROOT))
def test_a_stub_is_what_the_release_has(name):
    pristine, release = (assignment.read(ROOT / part / name / f"{name}.ipynb") for part in ("solutions", "assignments"))
    for cell, released in zip(pristine.cells, release.cells, strict=True):
        assert cell.stub.split() == released.source.split() and cell.id == released.id


def test_a_stub_stands_in_for_a_region_with_its_indent_or_for_the_whole_cell():
    region = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    a = assignment.parse({**NOTEBOOK, "cells": [cell("f", region, solution=True), *NOTEBOOK["cells"]]})
    assert a.cell("f").stub == "def f():\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert a.cell("double").stub == "# YOUR CODE HERE\nraise NotImplementedError()"
    assert a.cell("words").stub == "YOUR ANSWER HERE" and a.cell("test").stub == 'check.true(True, "Visible.")'


def test_the_namespace_takes_other_functions_and_runs_neither_test_nor_demo():
    a = assignment.parse(NOTEBOOK)
    assert a.namespace()["again"](1) == 4
    assert a.namespace({"double": "def double(x):\n    return 3 * x"})["again"](1) == 9
    assert a.namespace({"double": lambda x: -x})["again"](1) == 1
    with pytest.raises(KeyError, match="no solution cell defines 'treble'; they define double, halve"):
        a.namespace({"treble": ""})


def test_what_does_not_exist_or_is_ambiguous_is_named():
    with pytest.raises(KeyError, match="has no cell 'tset'; it has title, bootstrap"):
        assignment.parse(NOTEBOOK).cell("tset")
    both = {**NOTEBOOK, "cells": [cell("x", "", tags=["demo", "student-side"])]}
    with pytest.raises(ValueError, match="'x' is tagged demo and student-side: keep one"):
        assignment.parse(both)

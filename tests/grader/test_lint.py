"""Every assignment keeps the rules that its text can prove, and the lint that proves them finds each breach."""

import copy
import json

import pytest

from grader import lint

from .harness import SOLUTIONS


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_an_assignment_keeps_the_rules(path):
    assert lint.problems(json.loads(path.read_text(encoding="utf-8"))) == []


def cell(name, source, *tags, kind="code", points=None, **nbgrader):
    meta = {
        "grade": False,
        "solution": False,
        "locked": True,
        "schema_version": 3,
        "task": False,
        "grade_id": name,
    }
    meta |= nbgrader
    if points is not None:
        meta |= {"grade": True, "points": points}
    new = {
        "cell_type": kind,
        "id": name,
        "source": source,
        "metadata": {"nbgrader": meta},
    }
    if tags:
        new["metadata"]["tags"] = list(tags)
    return new | ({"outputs": [], "execution_count": None} if kind == "code" else {})


SOLUTION = '''\
def double(x):
    """x, a number. Returns twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION'''
TEST = """\
check.begin("test-double")
four = double(2.0)
check.close(four, 4.0, "Twice two is four.")
### BEGIN HIDDEN TESTS
from lllcourse.metrics import accuracy as expected_accuracy

draw = torch.Generator().manual_seed(check.seed())
drawn = torch.rand((), generator=draw).item()
check.close(double(drawn), 2 * drawn, "Twice, please.")
### END HIDDEN TESTS"""
GOOD = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"lllcourse": {"withheld": ["metrics"]}},
    "cells": [
        cell(
            "setup",
            "import torch\n\nfrom lllcourse.grading import check\n\nweights = [1.0, 2.0]\n"
            "check.modules('checks data figures losses models notebook tasks training'.split())",
        ),
        cell("double", SOLUTION, solution=True, locked=False),
        cell(
            "helper",
            "def twice_double(x):\n    return double(double(x))",
            "student-side",
        ),
        cell("test-double", TEST, points=1),
        cell("plot", "result = [double(w) for w in weights]\nprint(result)", "demo"),
        cell(
            "test-again",
            TEST.replace("four", "eight")
            .replace("double(2.0)", "twice_double(1.0)")
            .replace("test-double", "test-again"),
            points=1,
        ),
        cell(
            "words",
            "A model answer.",
            kind="markdown",
            points=2,
            solution=True,
            locked=False,
        ),
    ],
}
INDEX = {c["id"]: n for n, c in enumerate(GOOD["cells"])}


def changed(name, old=None, new=None, **parts):
    """GOOD with `old` replaced by `new` in a cell, or with parts of the cell's nbgrader metadata changed."""
    notebook = copy.deepcopy(GOOD)
    target = notebook["cells"][INDEX[name]]
    if old is not None:
        assert old in target["source"]
        target["source"] = target["source"].replace(old, new)
    if "tags" in parts:
        target["metadata"]["tags"] = parts.pop("tags")
    target["metadata"]["nbgrader"].update(parts)
    return notebook


def test_a_good_notebook_has_no_problems():
    assert lint.problems(GOOD) == []


BREACHES = {
    "modules that are not said": (changed("setup", "check.modules(", "print("), "call check.modules"),
    "modules that are not there": (changed("setup", "checks data", "checks data metrics"), "check.modules has to name"),
    "a test that rests on none": (
        changed("test-double", "### BEGIN HIDDEN", "check.needs('test-none')\n### BEGIN HIDDEN"), "is no test above it"
    ),
    "a test that is not named": (
        changed("test-double", 'check.begin("test-double")', 'check.begin("test-a")'), "begin with check.begin"
    ),
    "unknown metadata": (changed("test-double", points="many"), "nbgrader refuses"),
    "missing metadata": (changed("test-double", locked=None), "nbgrader refuses"),
    "repeated id": (changed("test-again", grade_id="test-double"), "Duplicate grade id"),
    "a text with the id of a test": (
        GOOD | {"cells": [*GOOD["cells"], GOOD["cells"][-1] | {"id": "test-again", "metadata": {}}]},
        "has to be unique",
    ),
    "cell id is not the grade id": (changed("test-again", grade_id="other"), "equal to the grade id"),
    "no points": (changed("test-double", points=0), "needs points"),
    "open test": (changed("test-double", locked=False), "have to be locked"),
    "open given cell": (changed("setup", locked=False), "have to be locked"),
    "tag on a test": (changed("test-double", tags=["demo"]), "is for given cells"),
    "unknown tag": (changed("setup", tags=["students-side"]), "given cells carry no tag"),
    "two tags": (changed("plot", tags=["demo", "student-side"]), "given cells carry no tag"),
    "syntax": (changed("setup", "import torch", "import import"), "does not parse"),
    "no hidden tests": (changed("test-double", "### BEGIN HIDDEN TESTS\n", ""), "one region of hidden tests"),
    "nothing visible": (
        changed("test-double", TEST[: TEST.index("###")], ""), "the visible tests come first",
    ),
    "visible after hidden": (
        changed("test-double", "### END HIDDEN TESTS", "### END HIDDEN TESTS\ncheck.true(True, 'It is so.')"),
        "the visible tests come first",
    ),
    "hidden tests elsewhere": (
        changed("plot", "print(result)", "### BEGIN HIDDEN TESTS\nprint(result)\n### END HIDDEN TESTS"),
        "into test cells only",
    ),
    "no solution region": (changed("double", "### BEGIN SOLUTION", "# x"), "a solution stands between"),
    "solution elsewhere": (
        changed("setup", "weights =", "### BEGIN SOLUTION\n### END SOLUTION\nweights ="), "into solution cells only",
    ),
    "a second answer outside the region": (
        changed("double", "def double", 'def helper(x):\n    """x."""\n    return x\n\n\ndef double'),
        "helper has no solution region",
    ),
    "a solution that is no function": (changed("double", "def double", "two = 2\n\n\ndef double"), "defines functions"),
    "no docstring": (changed("double", '    """x, a number. Returns twice x."""\n', ""), "needs a docstring"),
    "a method in a given cell": (
        changed("setup", "import torch", "import torch\nfrom lllcourse.lifelong import ewc"), "hidden tests only",
    ),
    "a method in a solution": (
        changed("double", "    return 2", "    from lllcourse.lifelong.ewc import penalty\n    return 2"),
        "hidden tests only",
    ),
    "a method in a visible test": (
        changed("test-double", "four =", "from lllcourse.lifelong import ewc as expected_ewc\nfour ="),
        "hidden tests only",
    ),
    "the whole package": (changed("setup", "import torch", "import torch\nimport lllcourse"), "hidden tests only"),
    "a withheld module": (
        changed("setup", "import torch", "import torch\nfrom lllcourse import metrics"), "is withheld",
    ),
    "a hidden import without alias": (changed("test-double", " as expected_accuracy", ""), "as expected_..."),
    "an untagged cell that calls the student": (
        changed("setup", "weights = [1.0, 2.0]", "weights = [double(1.0), 2.0]"), "the student's 'double'",
    ),
    "the same inside a function": (
        changed("setup", "weights =", "def g():\n    return [double(w) for w in weights]\n\n\nweights ="),
        "the student's 'double'",
    ),
    "an untagged cell that calls a student-side function": (changed("helper", tags=[]), "the student's 'double'"),
    "a name of a test in a demo": (changed("plot", "in weights", "in [four]"), "which the test test-double made"),
    "a name of a test in a later test": (
        changed("test-again", 'check.close(eight', 'check.close(four'), "which the test test-double made",
    ),
    "a hidden name in a later visible test": (
        changed("test-again", "eight = ", "eight = 0 * drawn + "), "which the test test-double made",
    ),
    "a test that shadows given data": (changed("test-double", "four", "weights"), "take another name"),
    "a test that shadows the student's function": (changed("test-double", "drawn", "double"), "take another name"),
    "a hidden name in the visible test": (changed("test-double", "(four", "(drawn"), "is defined nowhere before"),
    "a misspelt name": (changed("test-double", "(four", "(fuor"), "is defined nowhere before"),
    "a name of a demo": (changed("test-again", "twice_double(1.0)", "result[0]"), "a demo runs in no grader"),
    "a value at the end of a test": (
        changed("test-double", "### END", "drawn\n### END"), "ends in a value",
    ),
    "a value at the end of its visible part": (
        changed("test-double", "### BEGIN", "double(1.0)\n### BEGIN"), "ends in a value",
    ),
    "a value at the end of a demo": (changed("plot", "print(result)", "result"), "ends in a value"),
    "hidden inputs that are the same for all": (
        changed("test-double", "check.seed()", "0"), "draw the hidden inputs from check.seed()",
    ),
    "a draw without a generator": (changed("test-double", "(), generator=draw", "()"), "draws without a generator"),
    "data without a seed": (changed("setup", "[1.0, 2.0]", "torch.randn(2)"), "draws without a generator"),
    "numpy's global state": (
        changed("setup", "[1.0, 2.0]", "np.random.rand(2)"), "draws from a global state",
    ),
    "a seed from the clock": (
        changed("setup", "weights =", "torch.manual_seed(int(time.time()))\nweights ="), "needs a fixed number",
    ),
    "no check": (changed("test-double", 'check.close(four, 4.0, "Twice two is four.")', "pass"), "checks nothing"),
    "a check without a hint": (changed("test-double", ', "Twice two is four."', ""), "needs a hint"),
    "a hint that is no sentence": (changed("test-double", "Twice two is four.", "four"), "needs a hint"),
    "an assert": (changed("test-double", "check.close(four", "assert four\ncheck.close(four"), "instead of assert"),
}  # fmt: skip


@pytest.mark.parametrize("breach", BREACHES)
def test_the_lint_finds(breach):
    notebook, words = BREACHES[breach]
    found = lint.problems(notebook)
    assert any(words in problem for problem in found), found

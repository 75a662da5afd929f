"""What a student sees of the saved notebook before handing it in."""

import json

from lllcourse.grading import check, report


def cell(name, source, kind="code", **marks):
    meta = {"nbgrader": {"grade_id": name, "grade": False, "solution": False} | marks} if marks else {}
    return {"cell_type": kind, "metadata": meta, "source": source}


NOTEBOOK = {
    "cells": [
        cell("setup", "from lllcourse.grading import check", locked=True),
        cell("double", "%matplotlib inline\ndef double(x):\n    return 2 * x", solution=True),
        cell("test-double", "check.equal(double(2), 4, 'Twice two.')", grade=True, points=2),
        cell("half", "def half(x):\n    return x", solution=True),
        cell("test-half", "check.equal(half(2), 1, 'Half of two.\\nSo divide.')", grade=True, points=1),
        cell("test-both", "check.needs('test-double', 'test-half')", grade=True, points=1),
        cell("broken", "def broken(:", solution=True),
        cell("test-broken", "broken()", grade=True, points=1),
        cell("words", "YOUR ANSWER HERE", "markdown", grade=True, solution=True, points=3),
    ]
}


def test_each_question_has_a_line_and_the_file_to_hand_in_is_named(tmp_path, monkeypatch, capsys):
    path = tmp_path / "small.ipynb"
    path.write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    check.report("small")
    lines = capsys.readouterr().out.splitlines()
    told = {line.split()[0]: " ".join(line.split()[3:]) for line in lines[1:-1]}
    assert told == {
        "double": "passes",
        "half": "Half of two.",
        "both": "This waits for half: first let the tests of half above pass.",
        "broken": "NameError: name 'broken' is not defined",
        "words": "no answer yet",
    }
    assert lines[-1].endswith(f"Hand in this file: {path}")


def test_a_notebook_that_is_not_there_is_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    report.show("small")
    assert "There is no small.ipynb" in capsys.readouterr().out

"""What students receive: up to date, one notebook, without an answer or a hidden test in it."""

import json
from pathlib import Path

import pytest

from grader import assignment, release
from tools import notebooks

ROOT = Path(__file__).parents[2]

NAMES = assignment.names(ROOT)
each = pytest.mark.parametrize("name", NAMES)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source_and_release(name):
    return [read(ROOT / folder / name / f"{name}.ipynb") for folder in ("solutions", "assignments")]


def between(text, begin, end):
    """The lines of `text` that stand between these markers."""
    inside, found = False, []
    for line in text.split("\n"):
        if end in line:
            inside = False
        if inside and line.strip():
            found.append(line.strip())
        if begin in line:
            inside = True
    return found


def test_the_folder_holds_the_releases_and_nothing_else():
    found = [
        path.relative_to(ROOT / "assignments").as_posix()
        for path in (ROOT / "assignments").rglob("*")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    ]
    assert sorted(found) == sorted(["README.md", *(f"{name}/{name}.ipynb" for name in NAMES)])


@each
def test_the_release_is_what_its_source_gives_and_gives_twice(name):
    committed = ROOT / "assignments" / name / f"{name}.ipynb"
    made = [release.release(ROOT, name) for _ in range(2)]
    assert made[0] == made[1]
    assert committed.read_text(encoding="utf-8") == made[0], "run: make release"
    assert not list(ROOT.glob("gradebook.db")), "a release leaves no gradebook"


@each
def test_no_answer_and_no_hidden_test_is_in_the_release(name):
    source, released = source_and_release(name)
    text = "\n".join(notebooks.source_of(cell) for cell in released["cells"])
    assert "HIDDEN" not in text and "SOLUTION" not in text
    kept = {line.strip() for line in text.split("\n")}
    secret = []
    for cell in source["cells"]:
        old, meta = notebooks.source_of(cell), cell["metadata"].get("nbgrader", {})
        secret += between(old, "BEGIN SOLUTION", "END SOLUTION")
        secret += between(old, "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
        if meta.get("solution") and meta["grade"]:
            secret += old.split("\n")
    # A line like `return total` or `)` may well stand elsewhere too; what says something may not.
    told = [line for line in secret if len(line) > 25 and line in kept]
    assert len(secret) > 20 and not told


@each
def test_the_release_is_the_source_but_for_answers_and_hidden_tests(name):
    source, released = source_and_release(name)
    assert [c["id"] for c in released["cells"]] == [c["id"] for c in source["cells"]]
    assert released["metadata"]["kernelspec"] == source["metadata"]["kernelspec"]
    for old, new in zip(source["cells"], released["cells"], strict=True):
        before, after = notebooks.source_of(old), notebooks.source_of(new)
        assert not new.get("outputs") and new.get("execution_count") is None
        assert old["metadata"].get("tags") == new["metadata"].get("tags")
        if old["metadata"].get("nbgrader", {}).get("solution"):
            stub = "NotImplementedError" if old["cell_type"] == "code" else "YOUR"
            assert stub in after
        elif "HIDDEN" in before:
            assert before.startswith(after) and after.strip()
        else:
            assert after == before


def test_a_source_that_cannot_be_released_is_named_and_stops_no_other(tmp_path, capsys):
    """One folder without its notebook, one with an answer that never ends, one with a file too many, one in order."""
    for name in ("_config.yml", "nbgrader_config.py", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"))
    (tmp_path / "assignments").mkdir()
    for name in ("data", "empty", "endless", "good"):
        (tmp_path / "solutions" / name).mkdir(parents=True)
        for file in ("mistakes.py", "alternatives.py", "experiment.py"):
            (tmp_path / "solutions" / name / file).write_text("an answer")
    (tmp_path / "solutions" / "data" / "data.csv").write_text("1,2")
    code = "def f():\n    ### BEGIN SOLUTION\n    return 1"
    meta = {"grade": False, "solution": True, "locked": False, "schema_version": 3, "grade_id": "f"}
    end = "\n    ### END SOLUTION"
    for name, text in (("data", code + end), ("endless", code), ("good", code + end)):
        cell = {"cell_type": "code", "id": "f", "metadata": {"nbgrader": meta}, "source": text}
        made = notebooks.normalise({"cells": [cell]}, notebooks.bootstrap_text(ROOT))
        (tmp_path / "solutions" / name / f"{name}.ipynb").write_text(notebooks.dump(made))
    assert release.release_all(tmp_path) == 1
    said = capsys.readouterr()
    assert "data: not released. A release is one notebook, but data's would have: data.csv, data.ipynb" in said.err
    assert "empty: not released. solutions/empty should hold one" in said.err
    assert "endless: not released" in said.err and "no end solution statement found" in said.err
    assert said.out == "good: assignments/good/good.ipynb written\n"
    files = [p.name for p in (tmp_path / "assignments").rglob("*") if p.is_file()]
    assert files == ["good.ipynb"]

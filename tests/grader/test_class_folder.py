"""Folders of a class as they come from learning platforms and from students: everybody is graded or named, and nobody's
folder reaches another's.

The submissions themselves are not run here: their results are made up.
"""

import contextlib
import csv
import io
import json
import os
import stat

import pytest

from grader import assignment, grade, outcome, work
from grader.convert import Stopped
from grader.course import time_of
from grader.rebuild import rebuild

from . import harness
from .kit import NAME, POINTS, filled, folders, to_bytes

SECRET = "what another student wrote"
OTHERS = to_bytes(filled({}, SECRET))
ALL = sum(POINTS.values())


def made_up(jobs, *_):
    """A result for each submission without running it: full points where it holds the answers."""
    for job in jobs:
        right = job.content == folders.NOTEBOOK
        submission = rebuild(assignment.parse(json.loads(job.pristine)), job.content)
        state = "passed" if right else "failed"
        tests = [outcome.Test(test, most if right else 0.0, most, state) for test, most in POINTS.items()]
        cells = [outcome.Cell(step.id, step.role, step.source, step.touched) for step in submission.steps]
        yield outcome.Result(job.name, job.student, job.key, tests, cells, submission.waiting, submission.notes)


def lay_out(folder, files):
    """Write these files below submitted/."""
    for path, content in files.items():
        path = folder / "submitted" / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _link_to_another(folder, secret):
    folder.mkdir(parents=True)
    (folder / "ewc.ipynb").symlink_to(secret)


def _linked_folder(folder, secret):
    folder.parent.mkdir(parents=True)
    folder.symlink_to(secret.parent)


def _linked_student(folder, secret):
    folder.parent.parent.mkdir(parents=True, exist_ok=True)
    folder.parent.symlink_to(secret.parent.parent)


def _fifo(folder, secret):
    folder.mkdir(parents=True)
    os.mkfifo(folder / "ewc.ipynb")


def _folder_as_notebook(folder, secret):
    (folder / "ewc.ipynb").mkdir(parents=True)


def _endless_device(folder, secret):
    folder.mkdir(parents=True)
    (folder / "ewc.ipynb").symlink_to("/dev/zero")


def _real_device(folder, secret):
    folder.mkdir(parents=True)
    try:
        os.mknod(folder / "ewc.ipynb", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")


def _sparse(folder, secret):
    folder.mkdir(parents=True)
    with (folder / "ewc.ipynb").open("wb") as file:
        file.truncate(1 << 40)


def _linked_time(folder, secret):
    folder.mkdir(parents=True)
    (folder / "ewc.ipynb").write_bytes(folders.NOTEBOOK)
    (folder / "timestamp.txt").symlink_to(secret)


TRICKS = (_link_to_another, _linked_folder, _linked_student, _fifo, _folder_as_notebook, _endless_device, _real_device,
          _sparse, _linked_time)  # fmt: skip


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class with all of it, graded once: its folder, the rows by student, and all that was printed."""
    folder = tmp_path_factory.mktemp("course") / " class of 2026 "
    lay_out(folder, folders.LITTER)
    lay_out(folder, {f"{name}/ewc/ewc.ipynb": folders.NOTEBOOK for name in folders.NAMES})
    for student, (files, _) in folders.FOLDERS.items():
        lay_out(folder, {f"{student}/{path}": content for path, content in files.items()})
    lay_out(folder, {"late/ewc/ewc.ipynb": folders.NOTEBOOK, "late/ewc/timestamp.txt": b"03.11.2026 10:00"})
    lay_out(folder, {"other/ewc/ewc.ipynb": OTHERS, "zoe/ewc/ewc.ipynb": folders.NOTEBOOK})
    for trick in TRICKS:
        trick(folder / "submitted" / trick.__name__ / NAME, folder / "submitted" / "other" / "ewc" / "ewc.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "all_of", made_up)
        return folder, *run(folder)


def run(folder):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = grade.grade_class(harness.ROOT, folder, NAME)
    assert status in (0, 1), err.getvalue()
    with (folder / f"grades-{NAME}.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    return rows, out.getvalue() + err.getvalue()


def automatic(row):
    """The automatic points; None where there are none."""
    return float(row["automatic"]) if row["automatic"] else None


@pytest.mark.parametrize("student", folders.NAMES, ids=ascii)
def test_a_student_may_have_any_name(graded, student):
    _, rows, _ = graded
    row = rows.get(student) or rows[f"'{student}"]  # so that no spreadsheet takes it for a formula
    assert automatic(row) == ALL, row["reason"]


@pytest.mark.parametrize("student", folders.FOLDERS)
def test_what_stands_at_another_place_is_said(graded, student):
    _, rows, said = graded
    row, words = rows.get(student, {}), folders.FOLDERS[student][1]
    lines = [line for line in said.splitlines() if student in line] + [json.dumps(row)]
    assert lines[:-1] and any(words in line for line in lines), lines
    assert not row or row["state"].startswith("FAILED") or row["review"]


def test_what_is_no_submission_disturbs_nobody(graded):
    folder, rows, _ = graded
    assert automatic(rows["tidy"]) == automatic(rows["zoe"]) == ALL
    assert not {"notes.txt", "__MACOSX", ".hidden"} & set(rows)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "nothing stands beside the class"


def test_a_class_in_brackets_is_graded_or_refused_in_a_sentence(tmp_path, capsys):
    folder = tmp_path / "class [2026]"
    folder.mkdir()
    status = grade.grade_class(harness.ROOT, folder, NAME)
    said = capsys.readouterr()
    assert status == 0 or "rename the folder" in said.err
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_names_that_are_no_text_or_too_long_stop_nobody(tmp_path, monkeypatch):
    """Zip files from elsewhere bring names in other encodings."""
    lay_out(tmp_path, {"zoe/ewc/ewc.ipynb": folders.NOTEBOOK, f"{'x' * 252}/ewc/ewc.ipynb": folders.NOTEBOOK})
    odd = os.path.join(os.fsencode(tmp_path), b"submitted", b"Andr\xe9", b"ewc")
    os.makedirs(odd)
    with open(os.path.join(odd, b"ewc.ipynb"), "wb") as file:
        file.write(folders.NOTEBOOK)
    monkeypatch.setattr(work, "all_of", made_up)
    rows, said = run(tmp_path)
    assert automatic(rows["zoe"]) == ALL
    assert "Andr" in said and "xxxx" in said


@pytest.mark.parametrize("name", folders.DATES)
def test_a_time_is_read_or_asked_for_and_never_guessed(name):
    content, readable = folders.DATES[name]
    if readable:
        assert (time_of(content).year, time_of(content).month, time_of(content).day) == (2026, 11, 3)
    else:
        with pytest.raises(Stopped, match=r"timestamp.txt.*2026-11-03"):
            time_of(content)


def test_an_unreadable_time_costs_no_grade_and_is_reported(graded):
    _, rows, _ = graded
    assert automatic(rows["late"]) == ALL
    assert "timestamp.txt" in rows["late"]["review"]


def test_no_trick_with_files_opens_anything_but_the_students_own(graded):
    """Links, pipes, devices, a folder and a file of 1 TB where the notebook should be."""
    folder, rows, said = graded
    for trick in TRICKS[:-1]:
        row = rows.get(trick.__name__)
        assert row is None or (row["state"].startswith("FAILED") and automatic(row) is None), trick.__name__
        assert trick.__name__ in said
    assert automatic(rows["_linked_time"]) == ALL and "timestamp.txt" in rows["_linked_time"]["review"]
    assert (folder / "submitted" / "other" / "ewc" / "ewc.ipynb").read_bytes() == OTHERS
    kept = [p for top in ("feedback", "autograded", ".graded") for p in (folder / top).rglob("*") if p.is_file()]
    owners = [p for p in kept if "other" not in p.parts and "other" not in p.name]
    assert not any(SECRET.encode() in p.read_bytes() for p in owners)
    assert SECRET not in said

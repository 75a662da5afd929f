"""The folder of a class: what is opened of a submission, and what a grade depends on."""

import os
import shutil
from pathlib import Path

import pytest

from grader.convert import Stopped
from grader.course import Course

ROOT = Path(__file__).parents[2]


def hand_in(folder, student, text="{}", name="ewc.ipynb"):
    path = folder / "submitted" / student / "ewc" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def course(tmp_path):
    made = Course(ROOT, tmp_path, "ewc")
    hand_in(tmp_path, "ada")
    made.prepare()
    return made


def test_the_notebook_and_its_time_are_opened_and_nothing_else(course):
    assert course.handed_in("ada") == {"ewc.ipynb": b"{}"}
    hand_in(course.folder, "ada", "noon", "timestamp.txt")
    hand_in(course.folder, "ada", "1,2", "data.csv")
    assert course.handed_in("ada") == {"ewc.ipynb": b"{}", "timestamp.txt": b"noon"}


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def link(path, target):
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


BAD = {
    "a linked notebook": (lambda path: link(path, "/dev/zero"), "ewc.ipynb is a link"),
    "a linked time": (lambda path: link(path.with_name("timestamp.txt"), "/etc/hostname"), "timestamp.txt is a link"),
    "a linked folder": (lambda path: link(path.parent, "../ada/ewc"), "ewc is a link"),
    "a linked student": (lambda path: link(path.parents[1], "ada"), "bo is a link"),
    "a pipe": (pipe, "no regular file"),
    "a huge file": (lambda path: os.truncate(path, 2**31), "larger than 20 MB"),
    "a wrong name": (lambda path: path.rename(path.with_name("ewc (1).ipynb")), r"the folder holds: ewc \(1\).ipynb"),
}


@pytest.mark.parametrize("what", BAD)
def test_no_link_is_followed_and_nothing_endless_is_read(course, what):
    change, words = BAD[what]
    change(hand_in(course.folder, "bo"))
    assert course.students() == ["ada", "bo"]
    with pytest.raises(Stopped, match=words):
        course.handed_in("bo")


def test_a_name_that_is_a_pattern_is_refused(course):
    hand_in(course.folder, "b*")
    with pytest.raises(Stopped, match="rename the folder"):
        course.handed_in("b*")


def test_a_grade_depends_on_the_submission_the_tests_and_the_rules(course):
    files = course.handed_in("ada")
    digests = [course.digest(files), course.digest(files | {"timestamp.txt": b"noon"})]
    for path in (course.source, course.folder / "nbgrader_config.py"):
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        digests.append(course.digest(files))
    assert len(set(digests)) == 4 and course.digest(files) == digests[-1]


def test_what_an_interrupted_run_laid_aside_is_put_back(course):
    kept = course.graded("ada") / "ewc.ipynb"
    kept.parent.mkdir(parents=True)
    kept.write_text("graded")
    course.lay_aside("ada")
    kept.parent.mkdir()
    kept.write_text("half")
    course.put_back("ada")
    assert kept.read_text() == "graded" and not course.former("ada").exists()

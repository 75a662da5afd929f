"""The folder of a class: what is opened of a submission, and what a grade depends on."""

import os
import shutil
import stat
from datetime import datetime
from pathlib import Path

import pytest

from grader import outcome
from grader.convert import Stopped
from grader.course import Course, HandedIn, time_of

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
    assert course.handed_in("ada") == HandedIn(b"{}")
    hand_in(course.folder, "ada", "2026-11-03 14:30:00 UTC", "timestamp.txt")
    hand_in(course.folder, "ada", "1,2", "data.csv")
    assert course.handed_in("ada") == HandedIn(b"{}", datetime(2026, 11, 3, 14, 30))


TIMES = {
    "2026-11-03 14:30:00 UTC": datetime(2026, 11, 3, 14, 30),
    "2026-11-03T14:30": datetime(2026, 11, 3, 14, 30),
    "2026-11-03 14:30:00+01:00": datetime(2026, 11, 3, 13, 30),
    "\ufeff2026-11-03 14:30:00.25 UTC\r\n": datetime(2026, 11, 3, 14, 30, 0, 250_000),
}
NO_TIMES = ["03.11.2026 14:30", "11/03/2026", "yesterday", "", "2026-11-03", "2026-13-03 14:30", "2026-11-03 14:30 CET"]


@pytest.mark.parametrize("text", TIMES)
def test_an_iso_date_is_read(text):
    assert time_of(text.encode()) == TIMES[text]


@pytest.mark.parametrize("text", NO_TIMES)
def test_any_other_time_is_asked_for_again_and_the_grade_stands(course, text):
    """Which day 03.11.2026 is depends on who wrote it, so nothing is guessed."""
    hand_in(course.folder, "ada", text, "timestamp.txt")
    handed_in = course.handed_in("ada")
    assert handed_in.content == b"{}" and handed_in.at is None
    assert "write it as 2026-11-03 14:30:00 UTC" in handed_in.note


def test_a_time_in_another_encoding_is_asked_for_again(course):
    hand_in(course.folder, "ada", "", "timestamp.txt").write_bytes("2026-11-03 14:30".encode("utf-16"))
    assert "in UTF-8" in course.handed_in("ada").note


def test_a_linked_time_is_not_followed_and_the_grade_stands(course):
    link(course.submitted / "ada" / "ewc" / "timestamp.txt", "/etc/hostname")
    handed_in = course.handed_in("ada")
    assert handed_in.at is None and "timestamp.txt is a link" in handed_in.note


def test_a_second_notebook_beside_the_named_one_is_mentioned(course):
    hand_in(course.folder, "ada", "{}", "ewc-Copy1.ipynb")
    assert "there is ewc-Copy1.ipynb, which was not looked at" in course.handed_in("ada").note


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
    "a linked folder": (lambda path: link(path.parent, "../ada/ewc"), "ewc is a link"),
    "a linked student": (lambda path: link(path.parents[1], "ada"), "bo is a link"),
    "a pipe": (pipe, "no regular file"),
    "a huge file": (lambda path: os.truncate(path, 2**31), "larger than 100 MB"),
    "a wrong name": (lambda path: path.rename(path.with_name("ewc (1).ipynb")), r"the folder holds: ewc \(1\).ipynb"),
}


@pytest.mark.parametrize("what", BAD)
def test_no_link_is_followed_and_nothing_endless_is_read(course, what):
    change, words = BAD[what]
    change(hand_in(course.folder, "bo"))
    assert course.students() == ["ada", "bo"]
    with pytest.raises(Stopped, match=words):
        course.handed_in("bo")


STRANGE = {
    "one folder too high": ("bo/ewc.ipynb", "bo is not graded: there is ewc.ipynb in submitted/bo"),
    "in a folder of other case": ("bo/EWC/ewc.ipynb", "bo is not graded: there is EWC"),
    "in a numbered folder": ("bo/ewc-1/ewc.ipynb", "bo is not graded: there is ewc-1"),
    "beside the students": ("ewc.ipynb", "ewc.ipynb lies in submitted/ itself"),
}


@pytest.mark.parametrize("what", STRANGE)
def test_a_notebook_where_none_is_looked_for_has_a_line(course, what):
    place, words = STRANGE[what]
    path = course.submitted / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    assert [line for line in course.strange() if words in line], course.strange()
    assert course.students() == ["ada"]


def test_another_assignment_of_a_student_has_no_line(course):
    (course.submitted / "bo" / "gem").mkdir(parents=True)
    assert course.strange() == []


def test_a_result_depends_on_the_submission_the_tests_the_student_and_the_code(course):
    handed_in = course.handed_in("ada")
    keys = [course.key(handed_in, "ada", "code"), course.key(handed_in, "ada", "other code")]
    keys += [course.key(handed_in, "bo", "code"), course.key(HandedIn(b"[]"), "ada", "code")]
    course.source.write_text(course.source.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    keys.append(course.key(handed_in, "ada", "code"))
    assert len(set(keys)) == 5 and course.key(handed_in, "ada", "code") == keys[-1]


def test_the_time_of_handing_in_alone_grades_nothing_again(course):
    assert course.key(HandedIn(b"{}"), "ada") == course.key(HandedIn(b"{}", datetime(2026, 1, 1)), "ada")


# --- the secret ------------------------------------------------------------------------------------------------------


def test_each_student_has_hidden_inputs_of_their_own_which_white_space_does_not_change(course):
    seeds = [course.seed_of("ada"), course.seed_of("bo"), course.seed_of("ada", tried=1)]
    assert len(set(seeds)) == 3 and all(0 <= seed < 2**31 for seed in seeds)
    assert course.seed_of(" ada ") == course.seed_of("ada") == seeds[0]
    assert course.seed_of("ada  b") == course.seed_of("ada b")


def test_the_secret_is_the_class_s_own_and_nobody_else_s_to_read(course, tmp_path):
    course.seed_of("ada")
    secret = course.own / "secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600 and stat.S_IMODE(course.own.stat().st_mode) == 0o700
    other = Course(ROOT, tmp_path / "other", "ewc")
    assert other.seed_of("ada") != course.seed_of("ada")


# --- results ---------------------------------------------------------------------------------------------------------


def test_a_result_is_kept_whole_and_a_damaged_one_counts_as_none(course):
    result = outcome.Result("ewc", "ada", "key", [outcome.Test("a", 1.0, 2.0, "failed")], [], [], ["odd"])
    assert course.result("ada") is None
    course.keep(result)
    assert course.result("ada") == result
    course.results.joinpath("ada.json").write_text("{")
    assert course.result("ada") is None

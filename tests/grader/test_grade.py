"""A class through the command that grades it, into a real gradebook: what each submission earns, what is written, and
what a bad one does to the rest.

One class serves most tests, since each submission takes seconds.
"""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook

from . import harness
from .submissions import (
    NAME,
    POINTS,
    ROOT,
    WRITTEN,
    automatic_points,
    filled,
    find,
    hand_in,
    mangled,
    released,
    solution,
)

MISTAKE = harness.mistakes(NAME)[0]


def grade(folder, *options, **settings):
    command = [sys.executable, "-m", "grader", "grade", folder, NAME, *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **settings)


def rows_of(folder):
    with open(folder / f"grades-{NAME}.csv", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class with one of each kind, graded once."""
    folder = tmp_path_factory.mktemp("class")
    hand_in(folder, "ada", filled(solution(), with_demos=True))
    hand_in(folder, "bo", released())
    hand_in(folder, "cy", mangled())
    hand_in(folder, "dan", "this is no notebook")
    hand_in(folder, "eve [x]", filled(solution() | {MISTAKE.function: MISTAKE.source}))
    hand_in(folder, "eve [x]", "2026-11-03 14:30:00 UTC", "timestamp.txt")
    hand_in(folder, "fay", filled({}), f"{NAME}-Copy1.ipynb")
    (folder / "submitted" / "gil").mkdir()
    (folder / "submitted" / "gil" / f"{NAME}.ipynb").write_text("{}")
    return folder, grade(folder)


def test_one_bad_submission_stops_nobody_and_every_one_has_a_line(graded):
    folder, done = graded
    assert done.returncode == 1 and "Failed: 2." in done.stderr
    rows = rows_of(folder)
    assert {s: row["state"] for s, row in rows.items()} == {
        "ada": "graded", "bo": "graded", "cy": "graded", "dan": "FAILED", "eve [x]": "graded", "fay": "FAILED",
    }  # fmt: skip
    assert "no notebook" in rows["dan"]["reason"] and "ewc-Copy1.ipynb" in rows["fay"]["reason"]
    assert "gil is not graded: there is ewc.ipynb in submitted/gil" in done.stdout
    for student in rows:
        assert f"\n{student} " in done.stdout


def test_the_points_stand_in_gradebook_and_table(graded):
    folder, _ = graded
    assert automatic_points(folder, "ada") == POINTS
    assert set(automatic_points(folder, "bo").values()) == {0.0}
    assert automatic_points(folder, "cy") == dict.fromkeys(POINTS, 0.0) | {"test-remember": POINTS["test-remember"]}
    lost = {"test-importance": 0.0, "test-training": 0.0}
    assert automatic_points(folder, "eve [x]") == POINTS | lost
    row = rows_of(folder)["ada"]
    assert (row["automatic"], row["automatic_max"], row["by_hand_max"]) == ("90.0", "90.0", "10.0")
    assert row["needs_grading_by_hand"] == "1" and rows_of(folder)["bo"]["needs_grading_by_hand"] == "0"


def test_what_was_repaired_is_reported_for_review(graded):
    folder, done = graded
    assert "test-penalty was changed" in rows_of(folder)["cy"]["review"]
    assert rows_of(folder)["ada"]["review"] == "" and "to review" in done.stdout


def test_the_feedback_has_no_hidden_test_in_it(graded):
    folder, _ = graded
    for student in ("ada", "cy", "eve [x]"):
        page = (folder / "feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")
        assert "expected_" not in page and "check.seed" not in page and "HIDDEN" not in page
    assert "you squared the mean of the gradients" in BeautifulSoup(page, "html.parser").get_text()


def test_a_second_run_grades_nothing_again_and_a_changed_submission_alone(graded):
    folder, _ = graded
    before = {path: path.read_bytes() for path in (folder / ".graded" / "results").rglob("*.json")}
    began = time.monotonic()
    done = grade(folder)
    states = {student: row["state"] for student, row in rows_of(folder).items()}
    assert {s for s, state in states.items() if state == "graded before"} == {"ada", "bo", "cy", "eve [x]"}
    assert {path: path.read_bytes() for path in before} == before and time.monotonic() - began < 60
    hand_in(folder, "bo", filled({"best_lambda": solution()["best_lambda"]}))
    done = grade(folder, "--student", "bo", "--json")
    (row,) = json.loads(done.stdout)
    assert (row["student"], row["state"], row["automatic"]) == ("bo", "graded", 8.0)
    assert rows_of(folder)["ada"]["total"] == "90.0"  # the table is the whole class's, also then


def test_a_submission_that_turns_bad_keeps_the_grade_that_it_had(graded):
    folder, _ = graded
    path = folder / "submitted" / "cy" / NAME / f"{NAME}.ipynb"
    kept = path.read_bytes()
    path.write_text("")
    done = grade(folder, "--student", "cy", "--json")
    (row,) = json.loads(done.stdout)
    assert row["state"] == "FAILED, its earlier grade stands" and row["automatic"] == 8.0
    path.write_bytes(kept)


def test_a_name_that_nobody_has_and_a_wrong_assignment_are_refused(graded):
    folder, _ = graded
    assert "Nobody of this name" in grade(folder, "--student", "zoe").stderr
    command = [sys.executable, "-m", "grader", "grade", folder, "gem-by-hand"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and "There is no assignment 'gem-by-hand'" in done.stderr


def test_an_empty_class_is_made_ready_and_says_where_to_put_what(tmp_path):
    folder = tmp_path / "a class"
    done = grade(folder)
    assert done.returncode == 0 and f"submitted/<student>/{NAME}/{NAME}.ipynb" in done.stdout
    assert (folder / "solutions" / NAME / f"{NAME}.ipynb").is_file()


@pytest.mark.prove
def test_a_class_whose_name_has_spaces_keeps_its_gradebook_inside(tmp_path):
    folder = tmp_path / " autumn 2 "
    hand_in(folder, " zoë  ", released())
    done = grade(folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "gradebook.db").is_file() and [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_a_class_whose_name_is_a_pattern_is_refused_before_anything_is_made(tmp_path):
    done = grade(tmp_path / "autumn [1]")
    assert done.returncode == 2 and "rename the folder" in done.stderr and not list(tmp_path.iterdir())


def test_two_runs_at_once_are_refused(tmp_path):
    import fcntl

    hand_in(tmp_path, "ada", released())
    with open(tmp_path / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = grade(tmp_path)
    assert done.returncode == 2 and "Another run grades" in done.stderr


# --- proofs ----------------------------------------------------------------------------------------------------------


@pytest.mark.prove
def test_killed_at_any_moment_it_goes_on_and_gives_the_same_scores(tmp_path):
    students = {f"s{n}": filled(solution() if n % 2 else {"remember": solution()["remember"]}) for n in range(6)}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for student, notebook in students.items():
        hand_in(whole, student, notebook)
        hand_in(killed, student, notebook)
    assert grade(whole).returncode == 0
    command = [sys.executable, "-m", "grader", "grade", killed, NAME]
    for seconds in (3, 8, 12, 15, 19):
        process = subprocess.Popen(
            command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert grade(killed).returncode == 0
    for student in students:
        assert automatic_points(killed, student) == automatic_points(whole, student)


def test_a_written_answer_alone_is_read_by_a_person(graded):
    folder, _ = graded
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "lllcourse") as book:
        notebook = book.find_submission_notebook(NAME, NAME, "ada")
        assert [g.name for g in notebook.grades if g.needs_manual_grade] == [WRITTEN]
    assert find(released(), WRITTEN)

"""Grade a class with nbgrader: autograde, gradebook, feedback, a table and a CSV file.

Plain nbgrader runs the students' code on this machine with your rights, unprotected: see the instructors' guide.

nbgrader stops at the first submission that it cannot read. So each is graded alone here; what fails is reported, and
keeps the grade that it had.
"""

import csv
import fcntl
import io
import os
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path

from tools.kernels import ENVIRONMENT

from . import assignment, gradebook
from .convert import Stopped
from .course import Course, write

COLUMNS = [
    "assignment",
    "student",
    "automatic",
    "automatic_max",
    "by_hand",
    "by_hand_max",
    "total",
    "total_max",
    "needs_grading_by_hand",
    "state",
    "reason",
]


def grade_class(root: Path, folder: Path, name: str, force=False) -> int:
    """Grade the assignment `name` of the class in `folder`. Returns 0; 1 where one failed, 2 where nothing began."""
    os.environ.update(ENVIRONMENT)
    # They are about the inside of nbgrader; an instructor can do nothing about them.
    warnings.simplefilter("ignore")
    course = Course(root, folder.resolve(), name)
    known = assignment.names(root)
    if not course.source.is_file() and name not in known:
        return refused(f"There is no assignment {name!r} in solutions/, but: {', '.join(known) or 'none'}.")
    if course.folder == root or (folder.exists() and not folder.is_dir()):
        return refused(f"{folder} cannot be a class: name a folder of its own.")
    course.folder.mkdir(parents=True, exist_ok=True)
    if not importable("lllcourse", course.folder):
        return refused("lllcourse is not installed for this Python, and every test would fail: use make grade.")
    with (course.folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return refused(f"Another run grades {folder} at this moment: wait for it to end.")
        if not course.prepare():
            return 0
        try:
            gradebook.publish(course)
        except Stopped as error:
            return refused(f"Nothing was graded. The tests of {course.source} cannot be used: {error}", 1)
        try:
            failed = grade_all(course, force)
        except KeyboardInterrupt:
            return refused("\nStopped. Who has a line above is graded; run it again for the others.", 130)
    print(f"\nPoints: {course.folder}/grades-{name}.csv. Feedback: {course.folder}/feedback/<student>/{name}/.")
    print(f"By hand: make formgrader CLASS={folder}, then this command again for points and feedback.")
    if failed:
        return refused(f"Failed: {failed}. The reasons stand above, the logs in {course.folder}/.graded/logs/.", 1)
    return 0


def refused(why: str, code=2) -> int:
    print(why, file=sys.stderr)
    return code


def importable(package: str, folder: Path) -> bool:
    """Would a student's kernel find `package`? It runs in the class, so this repository being at hand is not enough."""
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({package!r}) is None)"
    return subprocess.run([sys.executable, "-c", code], cwd=folder).returncode == 0


def grade_all(course: Course, force: bool) -> int:
    """Grade what is new or changed, print the table, write the CSV file. Returns how many could not be graded."""
    rows, width = [], max(len("student"), *map(len, course.students()))
    print(f"{'student':<{width}}  automatic    by hand       state", flush=True)
    for student in course.students():
        start = time.perf_counter()
        state, reason = grade_one(course, student, force)
        row = dict.fromkeys(COLUMNS, "") | gradebook.points(course, student)
        row |= {"assignment": course.name, "student": student, "state": state, "reason": reason}
        rows.append(row)
        note = f": {reason}" if reason else f", {time.perf_counter() - start:.0f} s"
        print(f"{student:<{width}}  {of(row, 'automatic'):<11}  {by_hand(row):<12}  {state}{note}", flush=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write(course.folder / f"grades-{course.name}.csv", text.getvalue())
    return sum(row["state"].startswith("FAILED") for row in rows)


def grade_one(course: Course, student: str, force: bool) -> tuple[str, str]:
    """Bring one student's grade and feedback up to date. Returns the state and, where something failed, the reason."""
    former, state = course.memory.get(student, {}).get("graded"), "graded before"
    failed = "FAILED, its earlier grade stands" if former else "FAILED"
    try:
        course.put_back(student)
        files = course.handed_in(student)
        digest = course.digest(files)
        if force or former != digest or not course.graded(student).is_dir():
            gradebook.autograde(course, student, files)
            course.remember(student, graded=digest, feedback=None)
            state = "graded"
        failed = f"FAILED to make the feedback; {state}"
        gradebook.feedback(course, student)
    # One submission, whatever is wrong with it, never stops the others.
    except Exception as error:
        course.log(student, getattr(error, "log", "") or traceback.format_exc())
        kind = "" if isinstance(error, Stopped) else f"{type(error).__name__}: "
        return failed, f"{kind}{error}"
    return state, ""


def of(row: dict, part: str) -> str:
    return "-" if row[part] == "" else f"{row[part]:g} of {row[f'{part}_max']:g}"


def by_hand(row: dict) -> str:
    return f"{row['needs_grading_by_hand']} to grade" if row["needs_grading_by_hand"] else of(row, "by_hand")

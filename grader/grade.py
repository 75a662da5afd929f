"""Grade a class: run what is new or changed, write the gradebook, the feedback, a table and a CSV file."""

import csv
import fcntl
import io
import json
import sys
import warnings
from pathlib import Path

from . import assignment, autograded, feedback, gradebook, work
from .convert import Stopped
from .course import Course, write
from .outcome import Result
from .sandbox import limits as cage

COLUMNS = [
    "assignment", "student", "automatic", "automatic_max", "by_hand", "by_hand_max", "total", "total_max",
    "needs_grading_by_hand", "state", "reason", "review",
]  # fmt: skip


def grade_class(
    root: Path, folder: Path, name: str, *, force=False, only=(), jobs=None, limits=None, sandbox="bwrap",
    cluster=None, as_json=False,
) -> int:  # fmt: skip
    """Grade the assignment `name` of the class in `folder`. Returns 0; 1 where one failed, 2 where nothing began.

    only: these students alone. jobs: how many processes, one a core by default. sandbox: "bwrap" or "none".
    """
    # They are about the inside of nbgrader; an instructor can do nothing about them.
    warnings.simplefilter("ignore")
    out = sys.stderr if as_json else sys.stdout
    course, limits = Course(root, folder.resolve(), name), limits or cage.Limits()
    known = assignment.names(root)
    if not course.source.is_file() and name not in known:
        return refused(f"There is no assignment {name!r} in solutions/, but: {', '.join(known) or 'none'}.")
    if course.folder == root or (folder.exists() and not folder.is_dir()):
        return refused(f"{folder} cannot be a class: name a folder of its own.")
    if set("*?[]") & set(str(course.folder)):
        return refused(f"nbgrader takes * ? [ ] in {course.folder} for a pattern: rename the folder.")
    try:
        if sandbox == "bwrap":
            cage.probe()
    except cage.Unavailable as error:
        return refused(f"Nothing was graded. {error}")
    course.folder.mkdir(parents=True, exist_ok=True)
    with (course.folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return refused(f"Another run grades {folder} at this moment: wait for it to end.")
        if not course.prepare(out):
            return 0
        missing = set(only) - set(course.students())
        if missing:
            return refused(f"Nobody of this name handed in {name}: {', '.join(sorted(missing))}.")
        try:
            gradebook.publish(course)
        except Stopped as error:
            return refused(f"Nothing was graded. The tests of {course.source} cannot be used: {error}", 1)
        try:
            rows = Run(course, limits, sandbox, force, out).all(only or course.students(), jobs, cluster)
        except KeyboardInterrupt:
            return refused("\nStopped. Who has a line above is graded; run it again for the others.", 130)
    if as_json:
        print(json.dumps(rows, indent=1))
    failed = sum(row["state"].startswith("FAILED") for row in rows)
    notes = sum(bool(row["review"]) for row in rows)
    folders = f"{course.folder}/grades-{name}.csv. Feedback: {course.folder}/feedback/<student>/{name}/."
    print(f"\nPoints: {folders}", file=out)
    if notes:
        print(f"To review: {notes}. The notes are in the last column of the CSV file.", file=out)
    print(f"By hand: make formgrader CLASS={folder}, then this command again for points and feedback.", file=out)
    if failed:
        return refused(f"Failed: {failed}. The reasons stand above, the logs in {course.folder}/.graded/logs/.", 1)
    return 0


def refused(why: str, code=2) -> int:
    print(why, file=sys.stderr)
    return code


class Run:
    """One run over a class."""

    def __init__(self, course: Course, limits, sandbox, force, out):
        self.course, self.limits, self.sandbox, self.force, self.out = course, limits, sandbox, force, out
        self.environment = work.environment(limits, sandbox)
        self.pristine = course.source.read_text(encoding="utf-8")
        withheld = assignment.parse(json.loads(self.pristine), course.source).withheld
        self.folder = cage.furnish(course.own / "worker" / course.name, withheld)
        self.rows, self.width, self.times, self.notes = {}, 7, {}, {}

    def all(self, students, processes=None, cluster=None) -> list[dict]:
        """Grade these students; print a line for each as it is through, and write the CSV file of the whole class."""
        self.width = max(7, *(len(shown(student)) for student in students))
        print(f"{'student':<{self.width}}  automatic    by hand       state", file=self.out, flush=True)
        jobs = []
        for student in students:
            try:
                job = self._job(student)
            except Exception as error:  # a folder, a file: whatever is wrong with one never stops the others
                self._line(student, work.Failure(student, _said(error)))
                continue
            known = self.course.result(student)
            if known and known.key == job.key and not self.force:
                self._line(student, known, "graded before")
            else:
                jobs.append(job)
        for outcome in work.all_of(jobs, processes, cluster):
            self._line(outcome.student, outcome)
        rows = [self.rows.get(student) or self._former(student) for student in self.course.students()]
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _harmless(value) for key, value in row.items()} for row in rows)
        write(self.course.folder / f"grades-{self.course.name}.csv", text.getvalue())
        return [self.rows[student] for student in students]

    def _job(self, student) -> work.Job:
        course, handed_in = self.course, self.course.handed_in(student)
        self.times[student], self.notes[student] = handed_in.at, handed_in.note
        seeds = tuple(course.seed_of(student, tried) for tried in range(2))
        key = course.key(handed_in, student, self.environment)
        return work.Job(
            course.name, student, self.pristine, handed_in.content, seeds, key, self.limits, self.sandbox,
            str(self.folder),
        )  # fmt: skip

    def _line(self, student, outcome, state="graded"):
        """Write down what came of one student, and print it."""
        if isinstance(outcome, Result):
            try:
                self.course.keep(outcome)
                gradebook.write(self.course, outcome, self.times.get(student))
                autograded.write(self.course, outcome)
                feedback.write(self.course, outcome)
            except Exception as error:
                outcome = work.Failure(student, f"graded, but not written down: {_said(error)}")
        row = self.rows[student] = self._row(student, state)
        if isinstance(outcome, work.Failure):
            row["state"] = "FAILED" if row["total"] == "" else "FAILED, its earlier grade stands"
            row["reason"] = " ".join(outcome.why.split())
            self.course.log(student, outcome.log or outcome.why)
        row["review"] = self._review(student, outcome)
        note = f": {row['reason']}" if row["reason"] else "; to review" if row["review"] else ""
        print(
            f"{shown(student):<{self.width}}  {of(row, 'automatic'):<11}  {by_hand(row):<12}  {row['state']}{note}",
            file=self.out, flush=True,
        )  # fmt: skip

    def _former(self, student):
        """The row of a student who was not asked for in this run."""
        known = self.course.result(student)
        row = self._row(student, "graded before" if known else "")
        return row | {"review": self._review(student, known)}

    def _review(self, student, outcome) -> str:
        notes = outcome.notes if isinstance(outcome, Result) else []
        return " ".join(filter(None, [self.notes.get(student, ""), *notes]))

    def _row(self, student, state):
        points = gradebook.points(self.course, student)
        return dict.fromkeys(COLUMNS, "") | points | {
            "assignment": self.course.name, "student": student, "state": state,
        }  # fmt: skip


def shown(student: str) -> str:
    """A name that does nothing to a terminal."""
    return student if student.isprintable() else ascii(student)


def of(row: dict, part: str) -> str:
    return "-" if row[part] == "" else f"{row[part]:g} of {row[f'{part}_max']:g}"


def by_hand(row: dict) -> str:
    return f"{row['needs_grading_by_hand']} to grade" if row["needs_grading_by_hand"] else of(row, "by_hand")


def _said(error) -> str:
    return str(error) if isinstance(error, Stopped) else f"{type(error).__name__}: {error}"


def _harmless(value):
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value

"""Grade a class with nbgrader: autograde, gradebook, feedback, a table and a CSV file.

Plain nbgrader runs the students' code on this machine with your rights, unprotected: see the instructors' guide.

nbgrader stops at the first submission that it cannot read. So each is graded alone here; what fails is reported, and
keeps the grade that it had.
"""

import argparse
import contextlib
import csv
import errno
import fcntl
import glob
import hashlib
import importlib.util
import io
import json
import os
import shutil
import stat
import sys
import time
import traceback
import warnings
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback

from tools.kernels import ENVIRONMENT

from .release import Stopped, assignments, convert, load_config

# What is read of a submission, and how many bytes at most.
LARGEST = {"notebook": 20_000_000, "timestamp.txt": 1000}
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


class Class:
    """The folder of one class, and one assignment in it."""

    def __init__(self, root: Path, folder: Path, name: str):
        self.root, self.folder, self.name = root, folder, name
        self.submitted = folder / "submitted"
        self.source = folder / "solutions" / name / f"{name}.ipynb"
        self.staged = folder / ".graded" / "staged"
        self.memory_file = folder / ".graded" / f"{name}.json"

    def prepare(self) -> bool:
        """Make what is missing of the class folder. Returns whether there is something to grade."""
        original = self.root / "solutions" / self.name / f"{self.name}.ipynb"
        rules = "nbgrader_config.py"
        copies = {original: self.source, self.root / rules: self.folder / rules}
        for path, kept in copies.items():
            if not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, kept)
            elif path.is_file() and path.read_bytes() != kept.read_bytes():
                print(
                    f"Note: {kept} is this class's own copy, and is used; the repository's is another one by now.\n"
                    "      To change over, delete the class's copy and grade again."
                )
        self.submitted.mkdir(exist_ok=True)
        self.memory_file.parent.mkdir(exist_ok=True)
        if not self.students():
            print(
                f"The class folder {self.folder} is ready. Put each notebook at\n"
                f"    {self.submitted}/<student>/{self.name}/{self.name}.ipynb\n"
                "and run the same command again."
            )
        return bool(self.students())

    def students(self) -> list[str]:
        found = [path.parent.name for path in self.submitted.glob(f"*/{glob.escape(self.name)}") if path.is_dir()]
        return sorted(name for name in found if not name.startswith("."))

    def graded(self, student: str) -> Path:
        return self.folder / "autograded" / student / self.name

    def former(self, student: str) -> Path:
        return self.folder / ".graded" / "former" / student / self.name

    def log(self, student: str, text: str) -> None:
        write(self.folder / ".graded" / "logs" / f"{self.name}-{student}.txt", text)

    # --- what was done before ---------------------------------------------------------------------------------------

    @property
    def memory(self) -> dict:
        """student -> the digest of the submission that was graded, and of the marks that the feedback shows."""
        return json.loads(self.memory_file.read_text()) if self.memory_file.is_file() else {}

    def remember(self, student: str, **facts) -> None:
        memory = self.memory
        memory.setdefault(student, {}).update(facts)
        write(self.memory_file, json.dumps(memory, indent=1, sort_keys=True))

    def digest(self, files: dict[str, bytes]) -> str:
        """Of the tests and of what was handed in: what a grade depends on."""
        ours = [self.source, self.folder / "nbgrader_config.py"]
        texts = {path.name: path.read_bytes() for path in ours} | {
            f"submitted {name}": text for name, text in files.items()
        }
        digest = hashlib.sha256()
        for name, text in texts.items():
            digest.update(f"{name} {hashlib.sha256(text).hexdigest()}\n".encode())
        return digest.hexdigest()

    # --- what was handed in -----------------------------------------------------------------------------------------

    def handed_in(self, student: str) -> dict[str, bytes]:
        """The notebook and, where there is one, timestamp.txt, by name: all that is ever opened of a submission."""
        if glob.escape(student) != student:
            raise Stopped("nbgrader takes * ? [ ] in a name for a pattern; rename the folder")
        notebook = f"{self.name}.ipynb"
        folder = (student, self.name)
        try:
            text = read(self.submitted, *folder, notebook, limit=LARGEST["notebook"])
        except FileNotFoundError:
            found = sorted(os.listdir(self.submitted.joinpath(*folder)))
            raise Stopped(
                f"{notebook} is missing (the folder holds: {', '.join(found) or 'nothing'}); rename the right file"
            ) from None
        files = {notebook: text}
        with contextlib.suppress(FileNotFoundError):
            limit = LARGEST["timestamp.txt"]
            files["timestamp.txt"] = read(self.submitted, *folder, "timestamp.txt", limit=limit)
        return files

    @contextlib.contextmanager
    def staging(self, student: str, files: dict[str, bytes]):
        """Meanwhile these files stand where nbgrader looks for the submission."""
        folder = self.staged / student / self.name
        shutil.rmtree(self.staged, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            for name, text in files.items():
                (folder / name).write_bytes(text)
            yield
        finally:
            shutil.rmtree(self.staged, ignore_errors=True)

    # --- nbgrader's steps -------------------------------------------------------------------------------------------

    def config(self, student: str = "*", force=False):
        config = load_config(self.folder)
        config.CourseDirectory.root = str(self.folder)
        config.CourseDirectory.assignment_id = self.name
        config.CourseDirectory.student_id = student
        config.CourseDirectory.submitted_directory = str(self.staged.relative_to(self.folder))
        config.CourseDirectory.ignore = ["*"]  # only the notebook goes from step to step
        config.BaseConverter.force = force
        return config

    def gradebook(self) -> Gradebook:
        course = self.config().CourseDirectory
        return Gradebook(
            course.get("db_url") or f"sqlite:///{self.folder}/gradebook.db",
            course.course_id,
        )

    def publish_tests(self) -> None:
        """nbgrader's generate_assignment: it puts the tests and their points into the gradebook."""
        convert(GenerateAssignment, self.config(force=True))

    def recover(self, student: str) -> None:
        """Put back what an earlier run had laid aside, if it was killed on the way."""
        graded, kept = self.graded(student), self.former(student)
        if kept.exists():
            shutil.rmtree(graded, ignore_errors=True)
            kept.rename(graded)

    def autograde(self, student: str, files: dict[str, bytes]) -> None:
        """Grade one submission, wholly or not at all: a failure leaves the former grade and files as they were."""
        check_readable(f"{self.name}.ipynb", files[f"{self.name}.ipynb"])
        graded, kept = self.graded(student), self.former(student)
        before = self.marks(student)
        if graded.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            graded.rename(kept)
        try:
            with self.staging(student, files):
                log = convert(Autograde, self.config(student))
        except BaseException:
            shutil.rmtree(graded, ignore_errors=True)
            if kept.exists():
                kept.rename(graded)
            self.restore_marks(student, before)
            raise
        shutil.rmtree(kept, ignore_errors=True)
        self.log(student, log)

    def marks(self, student: str):
        with self.gradebook() as book:
            try:
                submission = book.find_submission(self.name, student)
            except MissingEntry:
                return None
            marks = {g.id: (g.auto_score, g.needs_manual_grade) for n in submission.notebooks for g in n.grades}
            return submission.timestamp, marks

    def restore_marks(self, student: str, before) -> None:
        with self.gradebook() as book, contextlib.suppress(MissingEntry):
            submission = book.find_submission(self.name, student)
            if before is None:  # else it would stand in the gradebook with zero points
                book.remove_submission(self.name, student)
                return
            submission.timestamp, marks = before
            for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
                grade.auto_score, grade.needs_manual_grade = marks.get(grade.id, (None, True))
            book.db.commit()

    def feedback(self, student: str) -> None:
        """Make the feedback where the marks or comments are not those that it shows."""
        with self.gradebook() as book:
            submission = book.find_submission(self.name, student)
            shown = sorted(
                f"{kind.name} {value}"
                for notebook in submission.notebooks
                for kind, value in [(g, g.score) for g in notebook.grades] + [(c, c.comment) for c in notebook.comments]
            )
        shown = hashlib.sha256(f"{self.memory[student]['graded']} {shown}".encode()).hexdigest()
        page = self.folder / "feedback" / student / self.name / f"{self.name}.html"
        if not page.is_file() or self.memory[student].get("feedback") != shown:
            convert(GenerateFeedback, self.config(student, force=True))
            self.remember(student, feedback=shown)

    def row(self, student: str, state: str, reason: str) -> dict:
        """The points of one student, as they stand in the gradebook; empty where there is no grade."""
        row = dict.fromkeys(COLUMNS, "") | {
            "assignment": self.name,
            "student": student,
            "state": state,
            "reason": reason,
        }
        with self.gradebook() as book, contextlib.suppress(MissingEntry):
            submission = book.find_submission(self.name, student)
            by_hand = {cell.name for n in submission.assignment.notebooks for cell in n.solution_cells}
            grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
            for part, chosen in (
                ("automatic", [g for g in grades if g.name not in by_hand]),
                ("by_hand", [g for g in grades if g.name in by_hand]),
            ):
                row[part] = sum(g.score for g in chosen)
                row[f"{part}_max"] = sum(g.max_score for g in chosen)
            row |= {
                "total": submission.score,
                "total_max": submission.max_score,
                "needs_grading_by_hand": sum(g.needs_manual_grade for g in grades),
            }
        return row


def read(folder: Path, *steps: str, limit: int) -> bytes:
    """The regular file that `steps` lead to from `folder`, none of them through a link.

    A link could bring another student's answers, the solution, or the gradebook into a student's feedback. Raises
    Stopped for a link, for what is no regular file and for more than `limit` bytes.
    """
    # O_NONBLOCK: to open a pipe would wait for somebody who writes.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with contextlib.ExitStack() as opened:
        place = os.open(folder, os.O_RDONLY)
        opened.callback(os.close, place)
        for step in steps:
            try:
                place = os.open(step, flags, dir_fd=place)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                raise Stopped(f"{step} is a link, and none is followed; put the file itself there") from None
            opened.callback(os.close, place)
        if not stat.S_ISREG(os.fstat(place).st_mode):
            raise Stopped(f"{step} is no regular file")
        text = opened.enter_context(open(place, "rb", closefd=False)).read(limit + 1)
    if len(text) > limit:
        raise Stopped(f"{step} is larger than {limit / 1e6:g} MB")
    return text


def check_readable(name: str, text: bytes) -> None:
    """Say in words what nbgrader would say in a traceback."""
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise Stopped(f"{name} is not a notebook, or is damaged ({error}); ask for it again") from error
    if not any("nbgrader" in cell.get("metadata", {}) for cell in cells):
        raise Stopped(f"{name} has lost nbgrader's marks on its cells; copy the answers into a fresh notebook")


def write(path: Path, text: str) -> None:
    """Write a whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def grade(course: Class, force: bool) -> int:
    """Grade what is new or changed, print the table, write the CSV file. Returns how many could not be graded."""
    rows, width = [], max(len("student"), *map(len, course.students()))
    print(f"{'student':<{width}}  automatic    by hand       state", flush=True)
    for student in course.students():
        start = time.perf_counter()
        state, reason = grade_one(course, student, force)
        row = course.row(student, state, reason)
        rows.append(row)
        note = f": {reason}" if reason else f", {time.perf_counter() - start:.0f} s"
        print(
            f"{student:<{width}}  {points(row, 'automatic'):<11}  {hand(row):<12}  {state}{note}",
            flush=True,
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write(course.folder / f"grades-{course.name}.csv", text.getvalue())
    return sum(row["state"].startswith("FAILED") for row in rows)


def grade_one(course: Class, student: str, force: bool) -> tuple[str, str]:
    """Bring one student's grade and feedback up to date. Returns the state and, where something failed, the reason."""
    former, state = course.memory.get(student, {}).get("graded"), "graded before"
    failed = "FAILED, its earlier grade stands" if former else "FAILED"
    try:
        course.recover(student)
        files = course.handed_in(student)
        digest = course.digest(files)
        if force or former != digest or not course.graded(student).is_dir():
            course.autograde(student, files)
            course.remember(student, graded=digest, feedback=None)
            state = "graded"
        failed = f"FAILED to make the feedback; {state}"
        course.feedback(student)
    # One submission, whatever is wrong with it, never stops the others.
    except Exception as error:
        course.log(student, getattr(error, "log", "") or traceback.format_exc())
        kind = "" if isinstance(error, Stopped) else f"{type(error).__name__}: "
        return failed, f"{kind}{error}"
    return state, ""


def points(row: dict, part: str) -> str:
    return "-" if row[part] == "" else f"{row[part]:g} of {row[f'{part}_max']:g}"


def hand(row: dict) -> str:
    return f"{row['needs_grading_by_hand']} to grade" if row["needs_grading_by_hand"] else points(row, "by_hand")


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="class", help="the folder of the class")
    parser.add_argument("assignment")
    parser.add_argument("--force", action="store_true", help="grade all again")
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent)
    options = parser.parse_args(argv)
    root, folder = options.root.resolve(), options.folder.resolve()
    os.environ.update(ENVIRONMENT)
    # They are about the inside of nbgrader; an instructor can do nothing about them.
    warnings.simplefilter("ignore")
    # Without the package every student would lose all points.
    if importlib.util.find_spec("lllcourse") is None:
        print(
            "lllcourse is not installed for this Python: use make grade.",
            file=sys.stderr,
        )
        return 2
    course = Class(root, folder, options.assignment)
    if not course.source.is_file() and options.assignment not in assignments(root):
        known = ", ".join(assignments(root)) or "none"
        print(
            f"There is no assignment {options.assignment!r} in solutions/, but: {known}.",
            file=sys.stderr,
        )
        return 2
    if folder == root or (folder.exists() and not folder.is_dir()):
        print(f"{folder} cannot be a class: name a folder of its own.", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print(
            f"Another run grades {folder} at this moment: wait for it to end.",
            file=sys.stderr,
        )
        return 2
    if not course.prepare():
        return 0
    try:
        course.publish_tests()
    except Stopped as error:
        print(
            f"Nothing was graded. The tests of {course.source} cannot be used: {error}",
            file=sys.stderr,
        )
        return 1
    try:
        failed = grade(course, options.force)
    except KeyboardInterrupt:
        print(
            "\nStopped. Who has a line above is graded; run it again for the others.",
            file=sys.stderr,
        )
        return 130
    print(f"\nPoints: {folder}/grades-{course.name}.csv. Feedback: {folder}/feedback/<student>/{course.name}/.")
    print(f"By hand: make formgrader CLASS={options.folder}, then this command again for points and feedback.")
    if failed:
        print(
            f"Failed: {failed}. The reasons stand above, the logs in {folder}/.graded/logs/.",
            file=sys.stderr,
        )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

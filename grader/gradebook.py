"""The one writer into nbgrader's gradebook: the tests and their points, and what each submission earned.

Manual scores, extra credit, comments and flags are the graders' own, who enter them in formgrader. Nothing here takes
one back; a score that may no longer be right is marked to be looked at again.
"""

import contextlib
import datetime
import functools
import runpy
from dataclasses import dataclass

import nbformat
from nbgrader import utils
from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    SolutionCell,
    SourceCell,
    SubmittedAssignment,
    TaskCell,
)
from nbgrader.converters import GenerateAssignment
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties

from . import autograded
from .convert import Stopped, convert, load_config
from .course import Course
from .outcome import Result


def config(course: Course, force=False):
    settings = load_config(course.folder)
    settings.CourseDirectory.root = str(course.folder)
    settings.CourseDirectory.assignment_id = course.name
    settings.CourseDirectory.ignore = ["*"]  # the notebook is published, and no file beside it
    settings.BaseConverter.force = force
    return settings


@contextlib.contextmanager
def gradebook(course: Course):
    """nbgrader's gradebook of the class, until the end of the block; whatever was not committed is forgotten then."""
    directory = config(course).CourseDirectory
    book = _opened(directory.get("db_url") or f"sqlite:///{course.folder}/gradebook.db", directory.course_id)
    try:
        yield book
    finally:
        book.close()


@functools.cache  # closed, it holds no connection; another one would write all its SQL anew, 50 ms for each student
def _opened(url, course_id):
    return Gradebook(url, course_id)


@contextlib.contextmanager
def transaction(course: Course):
    """The gradebook, into which all is written at the end, or nothing: nbgrader's API commits after every step."""
    with gradebook(course) as book:
        book.db.remove()
        try:
            with book.engine.begin() as connection:
                book.db.configure(bind=connection, join_transaction_mode="rollback_only")
                yield book
                book.db.flush()
        finally:
            book.db.remove()
            book.db.configure(bind=book.engine, join_transaction_mode="conditional_savepoint")


# --- the tests and their points ---------------------------------------------------------------------------------------


def publish(course: Course) -> None:
    """nbgrader's generate_assignment: it puts the tests and their points into the gradebook.

    It also takes a source that was corrected after grading (`correct`), which nbgrader alone refuses. Raises Stopped
    for a source that cannot be used; the gradebook is then as it was.
    """
    source = nbformat.read(course.source, as_version=4)
    with gradebook(course) as book:
        changed = bool(_submitted(book, course)) and _differs(book, course, source)
    if changed:
        trial = config(course, force=True)
        trial.GenerateAssignment.no_database = True
        trial.SaveCells.enabled = False
        convert(GenerateAssignment, trial)
        with transaction(course) as book:
            correct(book, course, source)
    convert(GenerateAssignment, config(course, force=True))


def correct(book: Gradebook, course: Course, source) -> None:
    """Fit an assignment that has grades to its corrected source, before anybody is graded again.

    A question that is gone takes its grades with it, manual ones too. A new one waits for everybody's next grading.
    Where points changed, automatic scores change in proportion, and a manual score stays, but never above the new
    maximum, and waits to be looked at.
    """
    notebook, submitted = book.find_notebook(course.name, course.name), _submitted(book, course)
    kinds = _kinds(source)
    for kind, wanted in kinds.items():
        present = {cell.name: cell for cell in _cells(notebook, kind)}
        for name in present.keys() - wanted.keys():
            if kind is not SourceCell:
                for row in (Grade, Comment):
                    book.db.query(row).filter(row.cell_id == present[name].id).delete()
            book.db.delete(present[name])
        for name in [name for name in wanted if name not in present]:
            cell = wanted[name]
            graded = {"max_score": _points(cell), "cell_type": cell.cell_type}
            facts = {
                GradeCell: graded,
                TaskCell: graded,
                SolutionCell: {},
                SourceCell: {"cell_type": cell.cell_type, "locked": utils.is_locked(cell)},
            }[kind]
            made = kind(name=name, notebook=notebook, **facts)
            book.db.add(made)
            book.db.flush()
            rows = {GradeCell: [Grade], SolutionCell: [Comment], TaskCell: [Grade, Comment]}.get(kind, [])
            book.db.add_all(row(cell_id=made.id, notebook=theirs) for theirs in submitted for row in rows)
    for kind in (GradeCell, TaskCell):
        for cell in _cells(notebook, kind):
            if cell.name in kinds[kind]:
                _weigh(book, cell, _points(kinds[kind][cell.name]))


def _weigh(book, cell, points):
    """Give a question other points."""
    former, cell.max_score = cell.max_score, points
    if former == points:
        return
    for grade in book.db.query(Grade).filter(Grade.cell_id == cell.id):
        if grade.auto_score is not None and former:
            grade.auto_score = grade.auto_score * points / former
        if grade.manual_score is not None:
            grade.manual_score = min(grade.manual_score, points)
        waits = grade.manual_score is not None or grade.auto_score is None
        grade.needs_manual_grade = bool(waits and points)


def _differs(book, course, source):
    notebook, kinds = book.find_notebook(course.name, course.name), _kinds(source)
    names = {kind: {cell.name for cell in _cells(notebook, kind)} for kind in kinds}
    points = {cell.name: cell.max_score for kind in (GradeCell, TaskCell) for cell in _cells(notebook, kind)}
    now = {name: _points(cell) for kind in (GradeCell, TaskCell) for name, cell in kinds[kind].items()}
    return names != {kind: set(cells) for kind, cells in kinds.items()} or points != now


def _kinds(source) -> dict:
    """What nbgrader keeps of a source: by kind, its cells by name."""
    cells = [cell for cell in source.cells if "grade_id" in cell.metadata.get("nbgrader", {})]
    kept = {GradeCell: utils.is_grade, SolutionCell: utils.is_solution, TaskCell: utils.is_task}
    found = {kind: [cell for cell in cells if test(cell)] for kind, test in kept.items()}
    found[SourceCell] = [cell for cell in cells if utils.is_locked(cell) or any(test(cell) for test in kept.values())]
    return {kind: {cell.metadata.nbgrader.grade_id: cell for cell in some} for kind, some in found.items()}


def _cells(notebook, kind):
    return notebook.source_cells if kind is SourceCell else [c for c in notebook._base_cells if isinstance(c, kind)]


def _points(cell):
    return float(cell.metadata.nbgrader.get("points", 0))


def _submitted(book, course):
    try:
        return list(book.find_notebook(course.name, course.name).submissions)
    except MissingEntry:
        return []


# --- what one submission earned ---------------------------------------------------------------------------------------


def write(course: Course, result: Result, timestamp: datetime.datetime | None = None) -> None:
    """Put a result into the gradebook, wholly or not at all. The same result twice changes nothing.

    timestamp: when it was handed in, in UTC where it names no zone; None where nobody knows. A written answer that
    nobody touched gets 0 points and waits for nobody. What a person scored waits for a person again where the answer
    is not the one in the autograded notebook (so `autograded.write` follows this), or the automatic score changed.
    Raises Stopped where the gradebook has other questions than the result: `publish` comes first.
    """
    tests = {test.id: test.points for test in result.tests}
    cells = {cell.id: cell for cell in result.cells}
    texts, seen = autograded.readings(result), autograded.read(course, result.student)
    with transaction(course) as book:
        book.update_or_create_student(result.student)
        with book.db.no_autoflush:
            submission = book.update_or_create_submission(course.name, result.student, timestamp=timestamp)
        found = {grade.name: grade for grade in grades(submission)}
        if found.keys() != tests.keys() | texts.keys():
            odd = ", ".join(sorted(found.keys() ^ (tests.keys() | texts.keys())))
            raise Stopped(f"The gradebook and the result do not have the same questions ({odd}): grade it again")
        for name, grade in found.items():
            if name in tests:
                score, changed = tests[name], tests[name] != grade.auto_score
            else:
                waits = name in result.waiting and grade.max_score > 0
                score, changed = None if waits else 0.0, texts[name] != seen.get(name)
            if grade.manual_score is None:
                grade.needs_manual_grade = score is None
            elif changed:
                grade.needs_manual_grade = True
            grade.auto_score = score
        for comment in comments(submission):
            untouched = not cells[comment.name].touched and comment.name not in result.waiting
            comment.auto_comment = "No response." if untouched else None
        book.db.flush()
        penalise(course, submission)


def penalise(course: Course, submission: SubmittedAssignment) -> None:
    """Let the plugin that the class configures set the penalty for a late submission, as nbgrader's autograde does.

    Where it configures none, a penalty that somebody entered stays.
    """
    settings = config(course)
    module, _, name = str(settings.AssignLatePenalties.get("plugin_class", "")).rpartition(".")
    if (course.folder / f"{module}.py").is_file():  # nbgrader, which runs in the class, would import it from there
        settings.AssignLatePenalties.plugin_class = runpy.run_path(str(course.folder / f"{module}.py"))[name]
    late = AssignLatePenalties(config=settings)
    late.init_plugin()
    plugin, seconds = late.plugin_inst, submission.total_seconds_late
    if type(plugin) is LateSubmissionPlugin and plugin.penalty_method == "none":
        return
    for notebook in submission.notebooks:
        penalty = plugin.late_submission_penalty(submission.student.id, notebook.score, seconds) if seconds else None
        notebook.late_submission_penalty = None if penalty is None else min(max(penalty, 0), notebook.score)


def grades(submission: SubmittedAssignment) -> list[Grade]:
    return [grade for notebook in submission.notebooks for grade in notebook.grades]


def comments(submission: SubmittedAssignment) -> list[Comment]:
    return [comment for notebook in submission.notebooks for comment in notebook.comments]


# --- what the gradebook says ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mark:
    """The points of one question. waits: has a person still to score it? by_hand: did a person score it?"""

    points: float
    most: float
    extra: float
    waits: bool
    by_hand: bool


@dataclass(frozen=True)
class Marks:
    """All of one submission: of each question, the graders' comments by cell, and the penalty for being late."""

    marks: dict[str, Mark]
    comments: dict[str, str]
    penalty: float

    @property
    def total(self) -> float:
        """As nbgrader's export has it."""
        return max(0.0, sum(mark.points for mark in self.marks.values()) - self.penalty)

    @property
    def most(self) -> float:
        return sum(mark.most for mark in self.marks.values())


def marks(course: Course, student: str) -> Marks:
    """Raises MissingEntry where the gradebook has nothing of this student."""
    with gradebook(course) as book:
        submission = book.find_submission(course.name, student)
        found = {
            g.name: Mark(g.score, g.max_score, g.extra_credit or 0.0, g.needs_manual_grade, g.manual_score is not None)
            for g in grades(submission)
        }
        texts = {c.name: c.manual_comment for c in comments(submission) if c.manual_comment}
        return Marks(found, texts, submission.late_submission_penalty)


def points(course: Course, student: str) -> dict:
    """The points of one student: automatic, by hand, total, each with its maximum. Empty where there is no grade.

    The total is what is left after a penalty for being late.
    """
    with gradebook(course) as book:
        try:
            submission = book.find_submission(course.name, student)
        except MissingEntry:
            return {}
        written = {cell.name for n in submission.assignment.notebooks for cell in n.solution_cells}
        automatic = [g for g in grades(submission) if g.name not in written]
        by_hand = [g for g in grades(submission) if g.name in written]
        return {
            "automatic": sum(g.score for g in automatic),
            "automatic_max": sum(g.max_score for g in automatic),
            "by_hand": sum(g.score for g in by_hand),
            "by_hand_max": sum(g.max_score for g in by_hand),
            "total": max(0.0, submission.score - submission.late_submission_penalty),
            "total_max": submission.max_score,
            "needs_grading_by_hand": sum(g.needs_manual_grade for g in grades(submission)),
        }

"""What talks to nbgrader: tests into its gradebook, a submission through its autograder, its feedback, its points."""

import contextlib
import hashlib
import shutil

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback

from .convert import convert, load_config
from .course import Course


def config(course: Course, student: str = "*", force=False):
    settings = load_config(course.folder)
    settings.CourseDirectory.root = str(course.folder)
    settings.CourseDirectory.assignment_id = course.name
    settings.CourseDirectory.student_id = student
    settings.CourseDirectory.submitted_directory = str(course.staged.relative_to(course.folder))
    settings.CourseDirectory.ignore = ["*"]  # the notebook goes from step to step, and no file beside it
    settings.BaseConverter.force = force
    return settings


def gradebook(course: Course) -> Gradebook:
    directory = config(course).CourseDirectory
    return Gradebook(directory.get("db_url") or f"sqlite:///{course.folder}/gradebook.db", directory.course_id)


def publish(course: Course) -> None:
    """nbgrader's generate_assignment: it puts the tests and their points into the gradebook."""
    convert(GenerateAssignment, config(course, force=True))


def autograde(course: Course, student: str, files: dict[str, bytes]) -> None:
    """Grade what was handed in, wholly or not at all: a failure leaves the former grade and files as they were."""
    course.check_readable(files)
    before = marks(course, student)
    course.lay_aside(student)
    try:
        with course.staging(student, files):
            log = convert(Autograde, config(course, student))
    except BaseException:
        shutil.rmtree(course.graded(student), ignore_errors=True)
        course.put_back(student)
        restore(course, student, before)
        raise
    shutil.rmtree(course.former(student), ignore_errors=True)
    course.log(student, log)


def marks(course: Course, student: str):
    """The time of a submission, and what nbgrader's autograder changes of its grades; None where there is none."""
    with gradebook(course) as book:
        try:
            submission = book.find_submission(course.name, student)
        except MissingEntry:
            return None
        return submission.timestamp, {g.id: (g.auto_score, g.needs_manual_grade) for g in grades(submission)}


def restore(course: Course, student: str, before) -> None:
    """Put `marks` back."""
    with gradebook(course) as book, contextlib.suppress(MissingEntry):
        submission = book.find_submission(course.name, student)
        if before is None:  # else it would stand in the gradebook with zero points
            book.remove_submission(course.name, student)
            return
        submission.timestamp, former = before
        for grade in grades(submission):
            grade.auto_score, grade.needs_manual_grade = former.get(grade.id, (None, True))
        book.db.commit()


def grades(submission) -> list:
    return [grade for notebook in submission.notebooks for grade in notebook.grades]


def feedback(course: Course, student: str) -> None:
    """Make the feedback where the marks or comments are not those that it shows."""
    with gradebook(course) as book:
        submission = book.find_submission(course.name, student)
        comments = [comment for notebook in submission.notebooks for comment in notebook.comments]
        shown = sorted(
            f"{kind.name} {value}"
            for kind, value in [(g, g.score) for g in grades(submission)] + [(c, c.comment) for c in comments]
        )
    memory = course.memory[student]
    shown = hashlib.sha256(f"{memory['graded']} {shown}".encode()).hexdigest()
    page = course.folder / "feedback" / student / course.name / f"{course.name}.html"
    if not page.is_file() or memory.get("feedback") != shown:
        convert(GenerateFeedback, config(course, student, force=True))
        course.remember(student, feedback=shown)


def points(course: Course, student: str) -> dict:
    """The points of one student: automatic, by hand, total, each with its maximum. Empty where there is no grade."""
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
            "total": submission.score,
            "total_max": submission.max_score,
            "needs_grading_by_hand": sum(g.needs_manual_grade for g in grades(submission)),
        }

"""What a result becomes in nbgrader's gradebook, in the notebook that formgrader shows, and after a correction."""

import datetime
import hashlib
import json
import shutil
from pathlib import Path

import msgspec
import nbformat
import pytest
import sqlalchemy
from nbconvert.exporters import HTMLExporter
from nbgrader.converters import GenerateFeedback
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from nbgrader.utils import determine_grade

from grader import autograded, feedback, gradebook, outcome
from grader.convert import Stopped, convert, load_config
from grader.course import Course

from . import harness
from .pages import runs
from .postgres import SERVER, serve
from .results import ANSWER, BREAKS_OUT, HOSTILE, NAME, WRITTEN, change, hostile, result, stubs

ROOT = Path(__file__).parents[2]
POINTS = harness.source(NAME).points
ALL = sum(POINTS.values())
MOST = ALL + harness.source(NAME).cell(WRITTEN).points
NOON = datetime.datetime(2026, 2, 3, 12)


def new_class(folder):
    """A class whose assignment is not published yet."""
    source = folder / "solutions" / NAME / f"{NAME}.ipynb"
    source.parent.mkdir(parents=True)
    shutil.copy(harness.source(NAME).path, source)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return Course(ROOT, folder, NAME)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    course = new_class(tmp_path_factory.mktemp("published"))
    gradebook.publish(course)
    return course.folder


@pytest.fixture
def course(published, tmp_path):
    """A class of its own for each test, with the assignment in its gradebook."""
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    return Course(ROOT, tmp_path, NAME)


def put(course, made, timestamp=None):
    """All that is written of one result, in the order of the grader."""
    gradebook.write(course, made, timestamp)
    feedback.write(course, made)
    autograded.write(course, made)


def by_hand(course, name, student="ada", **facts):
    """What a person enters in formgrader."""
    with gradebook.gradebook(course) as book:
        grade = book.find_grade(name, NAME, NAME, student)
        for fact, value in {"needs_manual_grade": False, **facts}.items():
            setattr(grade, fact, value)
        book.db.commit()


def held(course, name, student="ada"):
    """Of one question: automatic score, manual score, extra credit, and does a person have to look at it?"""
    with gradebook.gradebook(course) as book:
        grade = book.find_grade(name, NAME, NAME, student)
        return grade.auto_score, grade.manual_score, grade.extra_credit, grade.needs_manual_grade


def everything(course):
    """Every row of every table."""
    with gradebook.gradebook(course) as book, book.engine.connect() as connection:
        tables = sqlalchemy.MetaData()
        tables.reflect(connection)
        return {
            name: sorted(map(repr, connection.execute(sqlalchemy.select(table))))
            for name, table in tables.tables.items()
        }


def page(course, student="ada"):
    return (course.folder / "feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")


# --- what is written --------------------------------------------------------------------------------------------------


def test_each_test_has_its_points_and_an_answer_waits_for_a_person(course):
    put(course, result(course.source, failed=["test-penalty"]), NOON)
    assert held(course, "test-penalty") == (0, None, None, False)
    assert held(course, "test-importance") == (POINTS["test-importance"], None, None, False)
    assert held(course, WRITTEN) == (None, None, None, True)
    assert gradebook.points(course, "ada") == {
        "automatic": ALL - POINTS["test-penalty"],
        "automatic_max": ALL,
        "by_hand": 0,
        "by_hand_max": MOST - ALL,
        "total": ALL - POINTS["test-penalty"],
        "total_max": MOST,
        "needs_grading_by_hand": 1,
    }
    with gradebook.gradebook(course) as book:
        assert book.find_submission(NAME, "ada").timestamp == NOON


def test_nobody_has_to_read_an_empty_answer(course):
    put(course, result(course.source, answer=None))
    assert held(course, WRITTEN) == (0, None, None, False)
    assert gradebook.points(course, "ada")["needs_grading_by_hand"] == 0


def test_an_untouched_answer_waits_where_its_text_may_stand_elsewhere(course):
    note = outcome.Cell("added-1", "added-text", "Here is my answer.")
    put(course, result(course.source, answer=None, added=[note], waiting=[WRITTEN]))
    assert held(course, WRITTEN) == (None, None, None, True)


def test_nobody_is_known_before_the_first_grade(course):
    assert gradebook.points(course, "nobody") == {}


def test_a_time_zone_counts(course):
    east = datetime.timezone(datetime.timedelta(hours=2))
    gradebook.write(course, result(course.source), NOON.replace(tzinfo=east))
    with gradebook.gradebook(course) as book:
        assert book.find_submission(NAME, "ada").timestamp == NOON - datetime.timedelta(hours=2)


def test_the_same_result_twice_changes_nothing(course):
    made = result(course.source, failed=["test-remember"])
    put(course, made, NOON)
    before = everything(course)
    files = {path: path.stat().st_mtime_ns for path in course.folder.glob("[af]*/ada/**/*.*")}
    put(course, made, NOON)
    assert everything(course) == before
    assert len(files) == 2 and files == {path: path.stat().st_mtime_ns for path in files}


def test_what_a_person_entered_stays_and_is_not_asked_for_again(course):
    put(course, result(course.source, failed=["test-penalty"]))
    by_hand(course, WRITTEN, manual_score=2.5, extra_credit=0.5)
    with gradebook.gradebook(course) as book:
        book.find_comment(WRITTEN, NAME, NAME, "ada").manual_comment = "Nice."
        book.find_submission_notebook(NAME, NAME, "ada").flagged = True
        book.db.commit()
    put(course, result(course.source, answer=f"{ANSWER}\r\n  ", code={"penalty": "def penalty(): ..."}))
    assert held(course, WRITTEN) == (None, 2.5, 0.5, False)
    assert gradebook.points(course, "ada")["total"] == ALL + 3
    assert "Nice." in page(course)
    with gradebook.gradebook(course) as book:
        assert book.find_submission_notebook(NAME, NAME, "ada").flagged


@pytest.mark.parametrize("changed", ["Another text.", None])
def test_a_person_is_asked_again_where_the_answer_changed(course, changed):
    put(course, result(course.source))
    by_hand(course, WRITTEN, manual_score=2.5)
    put(course, result(course.source, answer=changed))
    assert held(course, WRITTEN)[1:] == (2.5, None, True)
    by_hand(course, WRITTEN)
    put(course, result(course.source, answer=changed))
    assert held(course, WRITTEN)[1:] == (2.5, None, False)


def test_a_person_is_asked_again_where_the_automatic_score_below_theirs_changed(course):
    put(course, result(course.source, failed=["test-penalty"]))
    by_hand(course, "test-penalty", manual_score=1.0)
    put(course, result(course.source, failed=["test-penalty", "test-remember"]))
    assert held(course, "test-penalty") == (0, 1.0, None, False)
    put(course, result(course.source))
    assert held(course, "test-penalty") == (POINTS["test-penalty"], 1.0, None, True)


@pytest.mark.parametrize("student", ["ada", "new"])
def test_an_error_leaves_all_as_it_was(course, monkeypatch, student):
    put(course, result(course.source))
    before = everything(course)

    def broken(*_):
        raise OSError("no space left")

    monkeypatch.setattr(gradebook, "penalise", broken)
    with pytest.raises(OSError, match="no space"):
        gradebook.write(course, result(course.source, student, failed=["test-penalty"], answer=None), NOON)
    assert everything(course) == before
    monkeypatch.undo()
    gradebook.write(course, result(course.source, student, failed=["test-penalty"]))
    assert held(course, "test-penalty", student)[0] == 0


def test_a_result_of_other_questions_is_refused(course):
    made = result(course.source, tests={"test-new": outcome.Test("test-new", 1, 1, "passed")})
    before = everything(course)
    with pytest.raises(Stopped, match="test-new"):
        gradebook.write(course, made)
    assert everything(course) == before


# --- late -------------------------------------------------------------------------------------------------------------

PLUGIN = """\
from nbgrader.plugins import BasePlugin


class Half(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return score / 2
"""
ZERO = 'c.LateSubmissionPlugin.penalty_method = "zero"'
HALF = 'c.AssignLatePenalties.plugin_class = "half_late.Half"'


def late(course, rule):
    """A class with this rule, where the assignment was due an hour before noon."""
    with (course.folder / "nbgrader_config.py").open("a") as file:
        file.write(f"\n{rule}\n")
    (course.folder / "half_late.py").write_text(PLUGIN)
    with gradebook.gradebook(course) as book:
        book.update_or_create_assignment(NAME, duedate=NOON - datetime.timedelta(hours=1))


@pytest.mark.parametrize(("rule", "kept"), [("", ALL), (ZERO, 0), (HALF, ALL / 2)])
def test_a_penalty_is_what_the_plugin_of_the_class_says(course, rule, kept):
    late(course, rule)
    for _ in range(2):
        put(course, result(course.source), NOON)
        assert gradebook.points(course, "ada")["total"] == kept
    put(course, result(course.source), NOON - datetime.timedelta(hours=2))
    assert gradebook.points(course, "ada")["total"] == ALL
    put(course, result(course.source), None)
    assert gradebook.points(course, "ada")["total"] == ALL


def test_a_penalty_by_hand_stays_where_the_class_has_no_plugin(course):
    put(course, result(course.source))
    with gradebook.gradebook(course) as book:
        book.find_submission_notebook(NAME, NAME, "ada").late_submission_penalty = 2
        book.db.commit()
    put(course, result(course.source))
    assert gradebook.points(course, "ada")["total"] == ALL - 2
    assert "2 points were taken off" in page(course)


# --- a corrected source -----------------------------------------------------------------------------------------------


def corrected(course, edit):
    """Correct the source, publish it, and grade everyone again: ada passed all, bo failed test-penalty."""
    for student, failed in (("ada", []), ("bo", ["test-penalty"])):
        put(course, result(course.source, student, failed=failed))
    by_hand(course, WRITTEN, "ada", manual_score=2.0)
    by_hand(course, "test-penalty", "bo", manual_score=1.5)
    change(course.source, edit)
    gradebook.publish(course)
    between = [gradebook.points(course, student) for student in ("ada", "bo")]
    for student, failed in (("ada", []), ("bo", ["test-penalty"])):
        put(course, result(course.source, student, failed=failed))
    after = [gradebook.points(course, student) for student in ("ada", "bo")]
    assert [row["total"] for row in between] == [row["total"] for row in after], "right before the last one is graded"
    return after


def test_points_can_be_weighed_anew_after_grading(course):
    def edit(cells):
        cells["test-importance"]["metadata"]["nbgrader"]["points"] = POINTS["test-importance"] + 3
        cells["test-penalty"]["metadata"]["nbgrader"]["points"] = 1

    ada, bo = corrected(course, edit)
    more = 3 + 1 - POINTS["test-penalty"]
    assert ada["total"] == ALL + more + 2.0 and ada["total_max"] == bo["total_max"] == MOST + more
    assert bo["total"] == ALL + 3 - POINTS["test-penalty"] + 1.0, "a manual score is never above the maximum"
    assert held(course, "test-penalty", "bo") == (0, 1.0, None, True)
    assert held(course, WRITTEN, "ada") == (None, 2.0, None, False)


def withdrawn(cells):
    cells["test-penalty"]["metadata"]["nbgrader"]["points"] = 0


def removed(cells):
    del cells["test-penalty"]


@pytest.mark.parametrize("edit", [withdrawn, removed])
def test_a_test_can_be_withdrawn_after_grading(course, edit):
    ada, bo = corrected(course, edit)
    assert ada["total"] == ALL - POINTS["test-penalty"] + 2.0
    assert bo["total"] == ALL - POINTS["test-penalty"], "a manual score of a withdrawn test is withdrawn with it"
    assert ada["total_max"] == MOST - POINTS["test-penalty"]
    assert bo["needs_grading_by_hand"] == 1, "the written answer, as before"


def test_a_question_can_be_added_after_grading(course):
    def edit(cells):
        new = json.loads(json.dumps(cells["test-penalty"]))
        new["id"] = new["metadata"]["nbgrader"]["grade_id"] = "test-new"
        cells["test-new"] = new
        cells["penalty"]["metadata"]["nbgrader"]["grade_id"] = "penalty-2"

    put(course, result(course.source))
    change(course.source, edit)
    gradebook.publish(course)
    assert held(course, "test-new") == (None, None, None, True)
    put(course, result(course.source, failed=["test-penalty"]))
    assert held(course, "test-new") == (POINTS["test-penalty"], None, None, False)
    with gradebook.gradebook(course) as book:
        assert book.find_comment("penalty-2", NAME, NAME, "ada").auto_comment == "No response."


def test_a_correction_that_cannot_be_published_changes_nothing(course):
    def edit(cells):
        removed(cells)
        cells["test-remember"]["metadata"]["nbgrader"]["grade_id"] = "test-importance"

    put(course, result(course.source))
    before = everything(course)
    change(course.source, edit)
    with pytest.raises(Stopped, match="test-importance"):
        gradebook.publish(course)
    assert everything(course) == before


# --- the notebook for formgrader --------------------------------------------------------------------------------------


def formgrader(course, student):
    """The page on which a person grades `student`, as formgrader makes it in the folder of the class."""
    settings = load_config(course.folder)
    settings.merge(FormgradeExtension().build_extra_config())
    resources = {"submission_id": "1", "index": 0, "total": 1, "base_url": "", "notebook_id": NAME}
    path = autograded.place(course, student)
    return HTMLExporter(config=settings).from_filename(str(path), resources=resources)[0]


def test_the_notebook_has_the_pristine_cells_with_their_metadata_and_the_students_answers(course):
    extra = [outcome.Cell("added-1", "added", "x = 1"), outcome.Cell("added-2", "added-text", "A note.")]
    made = result(course.source, code={"penalty": "def penalty(): ..."}, added=extra)
    autograded.write(course, made)
    notebook = nbformat.read(autograded.place(course, "ada"), as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    source = nbformat.read(course.source, as_version=4)
    ours = [cell for cell in notebook.cells if not cell.id.startswith("added-")]
    assert notebook.metadata.kernelspec == source.metadata.kernelspec
    assert [(cell.id, cell.cell_type) for cell in ours] == [(cell.id, cell.cell_type) for cell in source.cells]
    for cell, pristine in zip(ours, source.cells, strict=True):
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.pop("checksum", None)
            cell.metadata.nbgrader.pop("cell_type")
        assert cell.metadata == pristine.metadata
    texts = {cell.id: cell.source for cell in notebook.cells}
    assert texts["penalty"] == "def penalty(): ..." and texts[WRITTEN] == ANSWER
    assert texts["added-1"] == "x = 1" and texts["added-2"] == "A note."


PICTURES = {"image.png": "data:image/png;base64,iVBORw0KGgoA", "two": "data:image/jpeg;base64,/9j/4AAQSkZJRg=="}


def pasted(made, pictures, role="answer"):
    """The result with these pictures in the cells of this role."""
    cells = [msgspec.structs.replace(cell, pictures=pictures if cell.role == role else {}) for cell in made.cells]
    return msgspec.structs.replace(made, cells=cells)


@pytest.mark.parametrize("role", ["answer", "added-text"])
def test_a_picture_is_in_the_notebook_and_on_formgraders_page(course, role):
    text = "The springs hold. ![a](attachment:image.png) ![b](attachment:two)"
    made = result(course.source, answer=text, added=[outcome.Cell("added-1", "added-text", text)])
    autograded.write(course, outcome.from_json(outcome.to_json(pasted(made, PICTURES, role))))
    notebook = nbformat.read(autograded.place(course, "ada"), as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    name = WRITTEN if role == "answer" else "added-1"
    assert {cell.id: cell.attachments for cell in notebook.cells if "attachments" in cell} == {
        name: {"image.png": {"image/png": "iVBORw0KGgoA"}, "two": {"image/jpeg": "/9j/4AAQSkZJRg=="}}
    }
    shown = formgrader(course, "ada")
    assert [shown.count(f'src="{address}"') for address in PICTURES.values()] == [1, 1]


def test_code_that_stood_in_a_text_has_no_pictures(course):
    made = pasted(result(course.source, code={"penalty": "def penalty(): ..."}), PICTURES, "solution")
    nbformat.validate(nbformat.from_dict(autograded.notebook(course, made)))


@pytest.mark.parametrize("role", ["answer", "added-text"])
def test_another_picture_has_to_be_read_again(course, role):
    link = "![image.png](attachment:image.png)"
    answer, note = (link, []) if role == "answer" else (None, [outcome.Cell("added-1", "added-text", link)])
    made = result(course.source, answer=answer, added=note, waiting=[WRITTEN])
    put(course, pasted(made, PICTURES, role))
    by_hand(course, WRITTEN, manual_score=2.5)
    put(course, pasted(made, dict(PICTURES), role))
    assert held(course, WRITTEN) == (None, 2.5, None, False)
    put(course, pasted(made, PICTURES | {"two": PICTURES["image.png"]}, role))
    assert held(course, WRITTEN) == (None, 2.5, None, True)


def test_a_text_that_is_added_or_changed_beside_an_answer_has_to_be_read_too(course):
    """It may be a part of it."""
    beside = [outcome.Cell("added-1", "added-text", text) for text in ("The first half.", "Another first half.")]
    read = [autograded.readings(result(course.source, added=cells))[WRITTEN] for cells in ([], beside[:1], beside[1:])]
    assert len(set(read)) == 3


def test_without_a_picture_the_hash_of_an_answer_is_that_of_its_text(course):
    """It stands in the notebooks of every class that was graded before."""
    text_alone = hashlib.sha256(ANSWER.encode()).hexdigest()
    assert autograded.readings(result(course.source)) == {WRITTEN: text_alone}
    assert autograded.readings(pasted(result(course.source), PICTURES)) != {WRITTEN: text_alone}


@pytest.mark.parametrize(("answer", "score"), [(ANSWER, None), (None, 0)])
def test_nbgrader_sees_by_the_notebook_whether_somebody_answered(course, answer, score):
    autograded.write(course, result(course.source, answer=answer))
    notebook = nbformat.read(autograded.place(course, "ada"), as_version=4)
    cell = next(cell for cell in notebook.cells if cell.id == WRITTEN)
    assert determine_grade(cell) == (score, harness.source(NAME).cell(WRITTEN).points)
    if answer is None:
        with gradebook.gradebook(course) as book:
            assert cell.metadata.nbgrader.checksum == book.find_source_cell(WRITTEN, NAME, NAME).checksum


def test_formgrader_can_show_and_score_every_graded_cell(course):
    made = result(course.source, failed=["test-penalty"])
    autograded.write(course, made)
    shown = formgrader(course, "ada")
    for name in (*POINTS, WRITTEN):
        assert f'class="score tabbable" id="{name}"' in shown
    for name in (*stubs(), WRITTEN):
        assert f'id="{name}-comment"' in shown
    assert shown.count("Think of the signs.") == 1 and "<strong>strong</strong>" in shown


def test_nothing_of_a_student_runs_in_formgrader_and_what_is_harmless_stays(course):
    autograded.write(course, hostile(course.source))
    autograded.write(course, result(course.source))
    shown = formgrader(course, "hostile")
    assert list(runs(shown)) == list(runs(formgrader(course, "ada")))
    for kept in ("$a &lt; b$", "<strong>mine</strong>", "<th>Question</th>", "{{ 7 * 7 }}"):
        assert kept in shown
    assert "\x1b" not in shown and "\x00" not in shown and "secret" not in shown
    nbformat.validate(nbformat.read(autograded.place(course, "hostile"), as_version=4))


def test_hostile_texts_go_the_whole_way(course):
    put(course, hostile(course.source))
    assert gradebook.points(course, "hostile")["automatic"] == 0
    assert BREAKS_OUT not in page(course, "hostile") and HOSTILE not in page(course, "hostile")


def test_nbgraders_own_feedback_would_show_no_hidden_test(course):
    """formgrader has a button for it."""
    put(course, result(course.source, failed=list(POINTS)))
    settings = gradebook.config(course, force=True)
    settings.CourseDirectory.student_id = "ada"
    convert(GenerateFeedback, settings)
    made = page(course)
    assert "HIDDEN" not in made and "drawn_" not in made and "Think of the signs." in made


# --- another database -------------------------------------------------------------------------------------------------


@pytest.mark.prove(on=lambda: harness.rests_on(NAME, __file__, *sorted((ROOT / "grader").glob("*.py"))))
@pytest.mark.skipif(SERVER is None, reason="needs a PostgreSQL server (Debian: postgresql) and psycopg")
def test_a_real_postgresql_holds_the_same(published, tmp_path):
    """Publishing, grading, grading by hand, grading again, a correction and an error, on the other kind of database."""
    with serve() as url:
        both = []
        for name, line in (("sqlite", ""), ("postgres", f'\nc.CourseDirectory.db_url = "{url}"\n')):
            (tmp_path / name).mkdir()
            course = new_class(tmp_path / name)
            with (course.folder / "nbgrader_config.py").open("a") as file:
                file.write(line)
            gradebook.publish(course)
            put(course, hostile(course.source, "名前 o'neil"), NOON)
            rows = corrected(course, withdrawn)
            with pytest.raises(Stopped):
                gradebook.write(course, result(published / "solutions" / NAME / f"{NAME}.ipynb", "new", tests=UNKNOWN))
            assert gradebook.points(course, "new") == {}
            rows.append(gradebook.points(course, "名前 o'neil"))
            rows += [held(course, name, "bo") for name in (*POINTS, WRITTEN)]
            both.append(rows)
            assert (course.folder / "gradebook.db").is_file() == (name == "sqlite")
        assert both[0] == both[1]


UNKNOWN = {"test-new": outcome.Test("test-new", 1, 1, "passed")}

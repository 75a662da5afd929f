"""A class through nbgrader itself, into a real gradebook: what each submission earns, and what a bad one does to the
rest.

Two classes serve all tests, since nbgrader takes seconds for each submission; the larger one is a proof.
"""

import copy
import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension

from grader.convert import load_config

from . import harness

ROOT = Path(__file__).parents[2]
NAME = "ewc"
POINTS = harness.source(NAME).points
MISTAKE = harness.mistakes(NAME)[0]
WRITTEN = "interpretation"  # the cell that a person grades


def released():
    path = ROOT / "assignments" / NAME / f"{NAME}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))


def filled(functions, *, with_demos=False):
    """The release with these functions in it, each a source, and a written answer."""
    notebook = released()
    if not with_demos:  # they cost seconds and earn nothing, and a student may well delete them
        notebook["cells"] = [cell for cell in notebook["cells"] if "demo" not in cell["metadata"].get("tags", [])]
    for cell in harness.source(NAME).role("solution"):
        ours = [functions[name] for name in cell.functions if name in functions]
        if ours:
            find(notebook, cell.id)["source"] = "\n\n".join(ours)
    find(notebook, WRITTEN)["source"] = "Lambda is how stiff all springs are."
    return notebook


def find(notebook, cell_id):
    return next(cell for cell in notebook["cells"] if cell["id"] == cell_id)


def solution():
    cells = harness.source(NAME).role("solution")
    return {name: cell.source for cell in cells for name in cell.functions}


def mangled():
    """Two answers, one of them for the example only, in a notebook that editors and haste have damaged."""
    notebook = filled(
        {
            "remember": "import warnings\n\n\ndef remember(model):\n    warnings.warn('harmless')\n"
            "    return [p.detach().clone() for p in model.parameters()]",
            "best_lambda": "def best_lambda(tables):\n    return 1.0",
        }
    )
    test = find(notebook, "test-remember")
    twin = copy.deepcopy(test) | {"id": "twin", "source": "assert False"}
    notebook["cells"].insert(notebook["cells"].index(test), twin)
    find(notebook, "penalty")["metadata"]["nbgrader"]["schema_version"] = 1
    notebook["cells"].remove(find(notebook, "test-best-lambda"))
    find(notebook, "test-penalty")["source"] = "pass  # the test that a student rewrote"
    return notebook


SCRIPTS = """\
The gain is $a < b$, and this is **mine**.

<script>steal()</script> <img src="x" onerror="steal()"> <iframe src="https://example.org"></iframe>

[press](javascript:steal())

```mermaid
<img src="x" onerror="steal()">
```
"""
DISPLAYS = """\
from IPython.display import publish_display_data as display

display({"text/html": "<table><tr><td>kept</td></tr></table><script>steal()</script><b onclick='steal()'>x</b>"})
display({"application/javascript": "steal()"})
display({"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'><script>steal()</script></svg>"})
display({"text/markdown": "[press](javascript:steal())"})
display({"image/png": "AAAA"}, {"image/png": {"width": "1 onerror=steal()"}})"""


def hostile():
    """No answer, but tags and flags that would earn points, and scripts in all that a page shows."""
    notebook = released()
    notebook["metadata"] = {"kernelspec": {"name": "other", "display_name": "", "language": ""}}
    tests = [cell for cell in notebook["cells"] if cell["id"] in POINTS]
    for cell, tag in zip(tests, ["skip-execution", ""] * 3, strict=True):
        cell["metadata"]["tags"] = [tag]
        cell["metadata"]["nbgrader"]["points"] = 50
    tests[-1]["metadata"]["nbgrader"].update(solution=True, locked=False)
    find(notebook, WRITTEN)["source"] = SCRIPTS
    cell = {
        "cell_type": "code",
        "id": "displays",
        "source": DISPLAYS,
        "metadata": {},
        "outputs": [],
    }
    notebook["cells"].append(cell | {"execution_count": None})
    return notebook


def hand_in(folder, student, text, name=f"{NAME}.ipynb"):
    path = folder / "submitted" / student / NAME / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text))


def grade(folder, *options):
    command = [sys.executable, "-m", "grader", "grade", folder, NAME, *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def automatic_points(folder, student):
    """Of every test cell, as the gradebook holds them."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "lllcourse") as book:
        notebook = book.find_submission_notebook(NAME, NAME, student)
        return {g.name: g.auto_score for g in notebook.grades if g.name in POINTS}


def feedback(folder, student):
    page = folder / "feedback" / student / NAME / f"{NAME}.html"
    return page.read_text(encoding="utf-8")


def formgrader(folder, student):
    """The page on which a person grades `student`, as formgrader makes it in the folder of the class."""
    config = load_config(folder)
    config.merge(FormgradeExtension().build_extra_config())
    resources = {
        "submission_id": "1",
        "index": 0,
        "total": 1,
        "base_url": "",
        "notebook_id": NAME,
    }
    path = folder / "autograded" / student / NAME / f"{NAME}.ipynb"
    return HTMLExporter(config=config).from_filename(str(path), resources=resources)[0]


def runs(page):
    """What of a page a browser would run or load into it."""
    active = {
        "script",
        "iframe",
        "object",
        "embed",
        "svg",
        "form",
        "base",
        "meta",
        "link",
        "style",
    }
    for tag in BeautifulSoup(page, "html.parser").find_all(True):
        if tag.name in active:
            yield str(tag)
        for name, value in tag.attrs.items():
            if name.startswith("on") or "script:" in str(value):
                yield f"{name}={value}"


def rows(folder):
    with (folder / f"grades-{NAME}.csv").open(newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def grading():
    """What a grade rests on."""
    files = (ROOT / name for name in ("nbgrader_config.py", "requirements.lock"))
    return harness.rests_on(NAME, __file__, *files, *sorted((ROOT / "grader").glob("*.py")))


prove = pytest.mark.prove(on=grading)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The folder of a small class that was graded once, and what the command printed."""
    folder = tmp_path_factory.mktemp("class")
    empty = grade(folder)
    assert empty.returncode == 0 and "Put each notebook at" in empty.stdout
    hand_in(folder, "broken", json.dumps(released())[:5000])
    linked = folder / "submitted" / "linked" / NAME / f"{NAME}.ipynb"
    linked.parent.mkdir(parents=True)
    linked.symlink_to(folder / "solutions" / NAME / f"{NAME}.ipynb")
    hand_in(folder, "mangled", mangled())
    hand_in(folder, "misnamed", released(), f"{NAME} (1).ipynb")
    hand_in(folder, "untouched", released())
    hand_in(folder, "untouched", "2026-02-03 10:00:00 UTC", "timestamp.txt")
    hand_in(folder, "untouched", "a file of the student", "data.csv")
    (folder / "submitted" / "untouched" / NAME / "notes.txt").symlink_to(folder / "gradebook.db")
    return folder, grade(folder)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """The folder of a class with right, wrong and hostile submissions, graded once."""
    folder = tmp_path_factory.mktemp("others")
    hand_in(folder, "alternative", filled(harness.alternatives(NAME)["matmul"]))
    hand_in(folder, "hostile", hostile())
    hand_in(folder, "mistaken", filled(solution() | {MISTAKE.function: MISTAKE.source}))
    hand_in(folder, "solution", filled(solution(), with_demos=True))
    hand_in(folder, "untouched", released())
    done = grade(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_untouched_release_gets_none(graded):
    points = automatic_points(graded[0], "untouched")
    assert points == dict.fromkeys(POINTS, 0)


@prove
@pytest.mark.parametrize("student", ["solution", "alternative"])
def test_each_right_solution_gets_all_automatic_points(others, student):
    assert automatic_points(others, student) == POINTS


@prove
def test_a_mistake_costs_its_question_and_what_depends_on_it(others):
    lost = {*MISTAKE.fails, "test-training"}
    assert MISTAKE.training == "fails"
    expected = {cell: 0 if cell in lost else value for cell, value in POINTS.items()}
    assert automatic_points(others, "mistaken") == expected


def test_a_damaged_notebook_earns_what_is_right_in_it(graded):
    """A warning, a copied test, an older schema, a deleted and a rewritten test: each would stop plain nbgrader, cost
    points or give some."""
    expected = dict.fromkeys(POINTS, 0) | {"test-remember": POINTS["test-remember"]}
    assert automatic_points(graded[0], "mangled") == expected


@prove
def test_tags_and_flags_of_a_submission_earn_nothing(others):
    """A cell tagged skip-execution is not run, and would pass; so would one with an empty tag if no tag were set."""
    assert automatic_points(others, "hostile") == dict.fromkeys(POINTS, 0)
    assert rows(others)["hostile"]["total_max"] == rows(others)["solution"]["total_max"]
    with Gradebook(f"sqlite:///{others}/gradebook.db", "lllcourse") as book:
        notebook = book.find_submission_notebook(NAME, NAME, "hostile")
        assert {g.name for g in notebook.grades if g.needs_manual_grade} == {WRITTEN}


@prove
def test_the_metadata_of_what_was_graded_are_the_sources(others):
    path = others / "autograded" / "hostile" / NAME / f"{NAME}.ipynb"
    made = json.loads(path.read_text())
    source = json.loads(harness.source(NAME).path.read_text(encoding="utf-8"))
    assert made["metadata"]["kernelspec"] == source["metadata"]["kernelspec"]
    for cell in source["cells"]:
        if "nbgrader" in cell["metadata"]:
            metadata = find(made, cell["id"])["metadata"]
            metadata["nbgrader"].pop("checksum")
            metadata.pop("execution", None)
            assert metadata == cell["metadata"]


def test_no_tag_that_a_student_could_know_skips_a_cell():
    tags = {load_config(ROOT).Execute.skip_cells_with_tag for _ in range(2)}
    assert len(tags) == 2 and all(len(tag) > 20 for tag in tags)


@prove
@pytest.mark.parametrize("page", [feedback, formgrader])
def test_no_script_of_a_student_is_in_a_page_and_what_is_harmless_stays(others, page):
    shown = page(others, "hostile")
    assert list(runs(shown)) == list(runs(page(others, "untouched")))
    for kept in (
        "$a &lt; b$",
        "<strong>mine</strong>",
        "<td>kept</td>",
        "<th>Question</th>",
    ):
        assert kept in shown


def test_the_notebook_and_nothing_else_of_a_submission_is_copied(graded):
    folder = graded[0]
    for student in ("untouched", "mangled"):
        made = [path.name for top in ("autograded", "feedback") for path in (folder / top / student).rglob("*.*")]
        assert made == [f"{NAME}.ipynb", f"{NAME}.html"]
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "lllcourse") as book:
        assert str(book.find_submission(NAME, "untouched").timestamp) == "2026-02-03 10:00:00"


def test_what_cannot_be_graded_is_reported_and_has_no_grade(graded):
    folder, done = graded
    assert done.returncode == 1
    reasons = {student: row["reason"] for student, row in rows(folder).items() if row["reason"]}
    assert set(reasons) == {"broken", "linked", "misnamed"}
    assert "is not a notebook, or is damaged" in reasons["broken"]
    assert f"{NAME}.ipynb is a link" in reasons["linked"]
    assert f"the folder holds: {NAME} (1).ipynb" in reasons["misnamed"]
    assert rows(folder)["broken"]["total"] == rows(folder)["linked"]["total"] == ""
    assert "Failed: 3." in done.stderr


def test_a_written_answer_waits_for_a_person_and_an_empty_one_does_not(graded):
    with Gradebook(f"sqlite:///{graded[0]}/gradebook.db", "lllcourse") as book:
        waits = {s: book.find_grade(WRITTEN, NAME, NAME, s).needs_manual_grade for s in ("mangled", "untouched")}
    assert waits == {"mangled": True, "untouched": False}


def without_hidden_tests(folder, student):
    page = feedback(folder, student)
    assert "HIDDEN" not in page and "drawn_" not in page
    return page


def test_feedback_has_hints_and_no_hidden_test(graded):
    folder, _ = graded
    without_hidden_tests(folder, "untouched")
    _, _, shown = without_hidden_tests(folder, "mangled").partition("A test that you do not see failed.")
    tests = harness.source(NAME).cell("test-best-lambda").hidden
    hints = re.sub(r'"\s*"', "", tests)  # a hint stands on several lines there
    assert shown.strip()[:40] in hints and "Expected" not in shown[:300]


@prove
def test_feedback_on_a_known_mistake_has_its_hint(others):
    for student in ("solution", "alternative"):
        without_hidden_tests(others, student)
    assert "the square of the mean lets" in without_hidden_tests(others, "mistaken")


@prove
def test_grading_again_keeps_what_a_person_and_the_earlier_run_did(others):
    folder = others
    before = automatic_points(folder, "mistaken")
    with Gradebook(f"sqlite:///{folder}/gradebook.db", "lllcourse") as book:
        written = book.find_grade(WRITTEN, NAME, NAME, "solution")
        written.manual_score, written.needs_manual_grade = 2.5, False
        book.find_comment(WRITTEN, NAME, NAME, "solution").manual_comment = "Nice."
        book.db.commit()
    hand_in(folder, "mistaken", "{")
    untouched = folder / "feedback" / "untouched" / NAME / f"{NAME}.html"
    stamp = untouched.stat().st_mtime_ns

    done = grade(folder)
    table = rows(folder)
    assert table["solution"]["state"] == "graded before"
    assert float(table["solution"]["total"]) == sum(POINTS.values()) + 2.5
    assert "Nice." in feedback(folder, "solution")
    assert untouched.stat().st_mtime_ns == stamp, "nothing changed for this one"
    assert table["mistaken"]["state"] == "FAILED, its earlier grade stands"
    assert automatic_points(folder, "mistaken") == before
    assert (folder / "autograded" / "mistaken" / NAME / f"{NAME}.ipynb").is_file()
    assert "Failed: 1." in done.stderr

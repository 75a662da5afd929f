"""What every chapter owes its reader, and what the executed chapters say of the lecture.

The contract of a chapter is read from the committed notebooks; verdicts are read from `_build/executed`, which
`make book` and `make test` fill by running the chapters at the laptop scale.

**The contract for an author** (contract.py checks all of this on the executed page):

1. Five cells open a chapter: the title and one sentence that asks the question; `bootstrap`; `parameters`, folded; the
   chapter in one picture; two sentences that answer, then **You will learn** (3 to 5 lines with "- "),
   **Prerequisites**, and "About 31 minutes to read; running it takes 71 s of CPU." The first is within 20 % of
   what `python -m tools.measure` says; the second is also the notebook's metadata `cpu_seconds`, and what a build on an
   idle machine printed (a test of it would fail on a busy one).
2. The picture's cell is folded, reads `recorded(...)`, and has the metadata
   `lllcourse: {"title": "Draws the picture", "opening": 0.03}`. What it draws is in a dictionary, say
   `opening = {"GEM, 25 images": [one number a seed], ...}`. A later folded cell, without a figure, calls
   `keep(opening, {"GEM, 25 images": number, ...})` of lllcourse.notebook with the same numbers computed live; nothing
   of it is seen. Every live number has to lie within the range of the recorded seeds, widened on both sides by the
   `opening` of the metadata, in their unit (.03 of a share, 3 of per cent: what another processor may change).
3. What draws, tabulates, judges, keeps numbers, loops over seeds or reads a record is folded: tag `hide-input` and a
   title, `lllcourse: {"title": "Judges the claim"}` (`make format` does the rest). A cell has 15 lines at most (30, if
   folded) of 84 characters.
4. At most 3,500 words and 160 lines, the first picture after 250 words at most, a folded derivation of at most 300
   (`{dropdown}`, or an admonition with `:class: dropdown`), one at least.
5. The `{method-card}` of every method of book/methods.yml whose chapter it is.
6. Every verdict has parts named "seed 0 ..." (from the record) and "live, seed 0 ...".
7. Four exercises or more, each marked at the end of its title: "By hand: paper, 10 minutes, easy". It says paper, code
   or paper and code; and easy, medium or hard.
"""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

from lllcourse.notebook import CLAIM_TYPE

from . import contract

ROOT = Path(__file__).parents[2]
MAP = yaml.safe_load((ROOT / "book/lecture_map.yml").read_text(encoding="utf-8"))
CHAPTERS = sorted((ROOT / "book").glob("*/[0-9][0-9]_*.ipynb"))
IDS = [path.stem for path in CHAPTERS]
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=IDS)


def read(path):
    return nbformat.read(path, as_version=4)


def chapter_name(path):
    return f"{path.parent.name}/{path.stem}"


def executed(path):
    """The chapter as `make book` ran it, or a failure that says what to run."""
    at = ROOT / "_build/executed" / path.relative_to(ROOT)
    if not at.exists():
        pytest.fail(f"{at.relative_to(ROOT)} is missing: run `make test` or `make book`, which execute the chapters")
    return read(at)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def rows_shown(notebook):
    return [row for cell in notebook.cells for row in cell.metadata.get("lllcourse", {}).get("shows", [])]


def claims(notebook):
    """The facts of every verdict in an executed notebook, with the index of its cell."""
    return [
        (number, output.data[CLAIM_TYPE])
        for number, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if CLAIM_TYPE in output.get("data", {})
    ]


# --- the map of the lecture ---------------------------------------------------------------------------------------


def test_the_map_lists_every_row_of_the_lecture_with_its_kind():
    assert list(MAP) == [f"L{n}" for n in range(1, 33)] + [f"C{n}" for n in range(1, 29)]
    assert {row["kind"] for row in MAP.values()} == {"experiment", "figure", "text"}


def test_the_chapters_show_the_rows_that_the_map_promises_and_no_others():
    promised = {row: facts["chapter"] for row, facts in MAP.items() if not facts.get("planned")}
    shown = {row: chapter_name(path) for path in CHAPTERS for row in rows_shown(read(path))}
    assert shown == promised


@each_chapter
def test_the_metadata_names_the_rows_that_the_cells_show(path):
    notebook = read(path)
    assert sorted(notebook.metadata.lllcourse["lecture"]) == sorted(set(rows_shown(notebook)))


# --- verdicts -----------------------------------------------------------------------------------------------------


def has_picture_or_table(cell):
    data = [output.get("data", {}) for output in cell.get("outputs", [])]
    return any("image/svg+xml" in d or "image/png" in d or "<table" in d.get("text/html", "") for d in data)


@each_chapter
def test_every_experiment_has_its_picture_or_table_and_its_verdict(path):
    notebook = executed(path)
    assert faults_of_experiments(notebook) == []


def faults_of_experiments(notebook):
    """What the experiments of an executed chapter lack, a sentence each."""
    faults, verdicts = [], claims(notebook)
    code = [number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    for row in sorted({row for row in rows_shown(notebook) if MAP[row]["kind"] == "experiment"}):
        at = [n for n in code if row in notebook.cells[n].metadata.get("lllcourse", {}).get("shows", [])]
        nearby = {n for start in at for n in (start, *[m for m in code if m > start][:1])}
        if not any(has_picture_or_table(notebook.cells[n]) for n in nearby):
            faults.append(f"{row} shows neither a picture nor a table")
        if not any(facts["row"] == row and n in nearby for n, facts in verdicts):
            faults.append(f"{row} has no verdict on its cell or the next")
    return faults


def test_an_experiment_without_picture_or_verdict_is_found():
    notebook = executed(CHAPTERS[-1])
    for cell in code_cells(notebook):
        cell.outputs = []
    experiments = {row for row in rows_shown(notebook) if MAP[row]["kind"] == "experiment"}
    assert len(faults_of_experiments(notebook)) == 2 * len(experiments) > 0


@each_chapter
def test_a_verdict_speaks_of_a_row_of_its_chapter_and_of_an_experiment(path):
    for _, facts in claims(executed(path)):
        assert MAP[facts["row"]]["chapter"] == chapter_name(path)
        assert MAP[facts["row"]]["kind"] == "experiment"
        assert facts["verdict"] in ("holds", "in-part", "does-not-show")
        assert facts["here"] and facts["statement"] and facts["parts"]
        assert facts["lecture"] is None or facts["lecture"]


@each_chapter
def test_the_executed_chapter_is_the_committed_one(path):
    committed = [(cell.cell_type, cell.source) for cell in read(path).cells]
    assert [(cell.cell_type, cell.source) for cell in executed(path).cells] == committed


@each_chapter
def test_no_cell_prints_a_warning(path):
    for cell in code_cells(executed(path)):
        assert not [o for o in cell.outputs if o.get("name") == "stderr" or o.output_type == "error"], cell.id


# --- the contract -------------------------------------------------------------------------------------------------


@each_chapter
def test_a_chapter_keeps_the_contract(path):
    assert list(contract.faults(executed(path), chapter_name(path))) == []


@each_chapter
def test_every_figure_has_a_caption_and_alt_text_of_a_full_sentence(path):
    for cell in code_cells(executed(path)):
        if any("image/svg+xml" in o.get("data", {}) or "image/png" in o.get("data", {}) for o in cell.outputs):
            settings = cell.metadata.get("mystnb", {})
            alt = settings.get("image", {}).get("alt", "")
            assert len(alt.split()) >= 6 and alt.rstrip().endswith("."), f"{cell.id}: alt text {alt!r}"
            assert settings.get("figure", {}).get("caption", "").rstrip().endswith("."), f"{cell.id}: caption"


@each_chapter
def test_a_chapter_closes_with_quizzes_exercises_summary_and_reading(path):
    text = prose(read(path))
    exercises = re.findall(r"^```\{exercise(?:-start)?\}.*?\n:label: (\S+)", text, re.MULTILINE)
    solved = re.findall(r"^```\{solution(?:-start)?\} (\S+)\n:class: dropdown", text, re.MULTILINE)
    assert len(exercises) >= 4 and sorted(exercises) == sorted(solved)
    assert text.count(":::{quiz}") >= 2
    closing = [
        "Check yourself",
        "Exercises",
        "Summary",
        "What follows",
        "Further reading",
    ]
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    assert [title for title in titles if title in closing] == closing
    assert "{term}`" in text and "{cite}`" in text.split("Further reading")[-1]


@each_chapter
def test_some_outputs_are_checked_and_those_are_stored(path):
    """nbval compares tagged cells with what is stored, and passes without comparing where nothing is."""
    tagged = [cell for cell in code_cells(read(path)) if "nbval-check-output" in cell.metadata.get("tags", [])]
    assert len(tagged) >= 2
    assert all(cell.outputs and cell.execution_count for cell in tagged)


@each_chapter
def test_the_stored_outputs_are_those_of_the_laptop_scale_too(path):
    ran = {cell.id: cell for cell in code_cells(executed(path))}
    for cell in code_cells(read(path)):
        if "nbval-check-output" in cell.metadata.get("tags", []):
            assert text_of(ran[cell.id]) == text_of(cell)


def text_of(cell):
    """What a cell shows as text, whole: a kernel may send what one print writes in several parts."""
    return "".join(o.get("text") or o.get("data", {}).get("text/plain") for o in cell.outputs)


def test_terms_are_linked_where_they_first_occur():
    """Every glossary term that a chapter links exists, and none of the glossary is unused."""
    glossary = (ROOT / "book/glossary.md").read_text(encoding="utf-8")
    terms = set(re.findall(r"^(\S.*)\n  ", glossary, re.MULTILINE))
    used = {
        re.sub(r".*<(.*)>", r"\1", t) for path in CHAPTERS for t in re.findall(r"\{term\}`([^`]+)`", prose(read(path)))
    }
    used |= {re.sub(r"\s+", " ", re.sub(r".*<(.*)>", r"\1", t)) for t in re.findall(r"\{term\}`([^`]+)`", glossary)}
    assert used <= terms, used - terms
    assert terms <= used, f"defined, and linked nowhere: {terms - used}"

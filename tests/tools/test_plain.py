"""The plain notebooks: what MyST says, in Markdown that Colab, VS Code and JupyterLab show; and the same code."""

import json
import re
import zlib

import pytest

from tools import plain
from tools.notebooks import source_of

from ..book.pages import ROOT

CHAPTERS = sorted((ROOT / "book").glob("*/*.ipynb"))
TERMS = re.findall(r"^(\S.*)\n  ", (ROOT / "book/glossary.md").read_text("utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def book():
    return plain.Book(ROOT, {term: f"book/glossary.html#term-{n}" for n, term in enumerate(TERMS)})


@pytest.fixture
def written(book):
    """A Markdown cell's text as it becomes in a chapter of the first part."""
    chapter = plain.Chapter(book, ROOT / "book/lifelong/06_gradient_episodic_memory.ipynb")
    return lambda *lines: chapter.markdown("\n".join(lines)).strip()


def test_a_quiz_is_a_question_and_folds_that_open_on_the_verdict(written):
    made = written(
        ":::{quiz} Why **two** rows?",
        "- [ ] For $a_b$ and",
        "  `a_b`.",
        "",
        "  No: see {term}`anchor`.",
        "- [x] 1.",
        "",
        "  Yes.",
        ":::",
    )
    assert made.startswith("<strong>Why <strong>two</strong> rows?</strong>\n\n<details>")
    assert "<summary>For $a_b$ and <code>a_b</code>.</summary>\n\n" in made
    assert "**Not quite.** No: see [anchor](https://" in made
    assert made.endswith("<details><summary>1.</summary>\n\n**Right.** Yes.\n\n</details>")


def test_an_exercise_is_a_heading_and_its_solution_a_fold(written):
    exercise = ["```{exercise} Threads: code, 10 minutes", ":label: ex-11", "Measure it.", "```"]
    solution = [
        "```{solution-start} ex-11",
        ":class: dropdown",
        "```",
        "",
        "It depends.",
        "",
        "```{solution-end}",
        "```",
    ]
    assert written(*exercise) == "### Exercise: Threads: code, 10 minutes\n\nMeasure it."
    assert written(*solution) == "<details><summary>Solution</summary>\n\nIt depends.\n\n</details>"


def test_a_solution_over_several_cells_folds_each_of_them(book):
    chapter = plain.Chapter(book, CHAPTERS[0])
    start = {
        "id": "a",
        "cell_type": "markdown",
        "metadata": {},
        "source": ["```{solution-start} e\n", "```\n", "\n", "First."],
    }
    code = {"id": "b", "cell_type": "code", "metadata": {}, "source": ["x = 1"]}
    end = start | {"source": ["Last.\n", "\n", "```{solution-end}\n", "```\n", "\n", "## Next"]}
    assert source_of(*chapter.text(start)).startswith("<details><summary>Solution</summary>\n\nFirst.")
    (made,) = chapter.code(code)
    assert source_of(made) == "# @title Solution\nx = 1" and made["metadata"]["cellView"] == "form"
    after = source_of(*chapter.text(end))
    assert "<summary>Solution</summary>\n\nLast.\n\n</details>" in after and after.endswith("\n## Next")
    assert source_of(*chapter.code(code)) == "x = 1"


def test_terms_papers_and_pages_are_links_to_the_book_and_code_stays(written):
    made = written(
        "See {term}`tied <anchor>` {cite}`french1999`, [06](06_gradient_episodic_memory.ipynb#x) and `](a.b)`."
    )
    assert re.fullmatch(
        r"See \[tied\]\(https://\S+/lllcourse/book/glossary.html#term-\d+\) "
        r"\[\(French, 1999\)\]\(https://doi.org/\S+\), "
        r"\[06\]\(https://\S+/lllcourse/book/lifelong/06_gradient_episodic_memory.html#x\) and `\]\(a.b\)`\.",
        made,
    )


def test_a_figure_has_its_caption_below(book):
    metadata = {"tags": ["hide-input"], "lllcourse": {"title": "Draws it"}}
    metadata["mystnb"] = {"figure": {"caption": "What it shows."}, "image": {"alt": "A curve."}}
    cells = plain.Chapter(book, CHAPTERS[0]).code(
        {"id": "f", "cell_type": "code", "metadata": metadata, "source": "draw()"}
    )
    assert [cell["cell_type"] for cell in cells] == ["code", "markdown"]
    assert source_of(cells[0]) == "# @title Draws it\ndraw()" and source_of(cells[1]) == "*What it shows.*"


@pytest.mark.parametrize("text", ["```{unknown} a\n```", "{ref}`a`", "[a](no_such.ipynb)", ":::{quiz} Never closed"])
def test_what_it_does_not_know_is_an_error(written, text):
    with pytest.raises(ValueError, match="nothing says how|there is no|nothing closes"):
        written(text)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_no_myst_left_and_the_same_code(book, path):
    before, after = json.loads(path.read_text("utf-8")), json.loads(book.plain(path))
    texts = [source_of(cell) for cell in after["cells"] if cell["cell_type"] == "markdown"]
    for text in texts:
        bare = plain.CODE.sub(lambda code: "" if code[0].startswith("`") and "{" not in code[0][:5] else code[0], text)
        assert not re.search(r"^[:`]{3,}\{|\{[a-z]+\}`|^:[a-z-]+:|\]\([^h#]|- \[[ x]\]", bare, re.MULTILINE), text
    code = [[source_of(c) for c in n["cells"] if c["cell_type"] == "code"] for n in (before, after)]
    assert code[1].pop(1) == "import lllcourse\n\nlllcourse.choose_scale()"  # after the installation
    assert [re.sub(r"\A# @title .*\n", "", source) for source in code[1]] == code[0]
    assert after["metadata"]["accelerator"] == "GPU" and after["metadata"]["colab"]["gpuType"] == "T4"
    assert len({cell["id"] for cell in after["cells"]}) == len(after["cells"])


def test_the_branch_for_colab_and_the_download_button_of_a_page_have_the_same_notebook(tmp_path):
    html, colab = tmp_path / "html", tmp_path / "colab"
    (html / "_sources/book/lifelong").mkdir(parents=True)
    (html / "_sources/book/lifelong/index.md").write_text("A page that is none of a notebook.")
    terms = "".join(f"{term} std:term -1 book/glossary.html#term-{n} -\n" for n, term in enumerate(TERMS))
    head = b"# Sphinx inventory version 2\n# Project: book\n# Version: 0\n# zlib\n"
    (html / "objects.inv").write_bytes(head + zlib.compress(terms.encode()))
    count = plain.build(ROOT, html, colab)
    made = {path.relative_to(colab): path.read_bytes() for path in colab.rglob("*.ipynb")}
    assert len(made) == count == len(CHAPTERS) + len(list((ROOT / "assignments").glob("*/*.ipynb")))
    assert made == {name: (html / "_sources" / name).read_bytes() for name in made}
    assert (html / "_sources/book/lifelong/index.md").exists()

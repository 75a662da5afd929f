"""Notebooks have one form: `format` writes it, `check` says what differs and changes nothing."""

import json
import subprocess
import sys

import nbformat
import pytest

TOOL = [sys.executable, "-m", "tools.notebooks"]
URL = "https://github.com/someone/course"
STREAM = {"output_type": "stream", "name": "stdout", "text": ["1\n"]}


@pytest.fixture
def chapter(tmp_path):
    (tmp_path / "_config.yml").write_text(f"repository:\n  url: {URL}\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nversion = '1.2'\n")
    path = tmp_path / "book" / "01_x.ipynb"
    path.parent.mkdir()
    messy = {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {
            "lllcourse": {"lecture": ["L1"]},
            "widgets": {},
            "kernelspec": {"name": "other"},
        },
        "cells": [
            {
                "cell_type": "markdown",
                "metadata": {},
                "source": "# Große Überschrift  \n\n",
            },
            {
                "cell_type": "code",
                "metadata": {"execution": {}},
                "source": "x = 1   \nx",
                "outputs": [STREAM],
                "execution_count": 7,
            },
            {
                "cell_type": "code",
                "metadata": {},
                "source": "",
                "outputs": [],
                "execution_count": None,
            },
            {
                "cell_type": "code",
                "metadata": {"tags": ["nbval-check-output"]},
                "source": "print(1)",
                "outputs": [STREAM],
                "execution_count": 9,
            },
        ],
    }
    path.write_text(json.dumps(messy))
    return path


def tool(mode, chapter):
    root = chapter.parents[1]
    done = subprocess.run([*TOOL, mode, "--root", root], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def edited(chapter, change):
    """Format the chapter, break it by `change`, check it: exit code, message, and whether the file stayed as it was."""
    tool("format", chapter)
    notebook = json.loads(chapter.read_text())
    change(notebook["cells"])
    chapter.write_text(broken := json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    code, output = tool("check", chapter)
    assert chapter.read_text() == broken, "check changed the file"
    return code, output


def test_format_is_idempotent_and_then_check_passes(chapter):
    assert tool("check", chapter)[0] == 1
    assert tool("format", chapter)[0] == 0
    once = chapter.read_text()
    assert tool("format", chapter) == (0, "")
    assert chapter.read_text() == once
    assert tool("check", chapter) == (0, "")


def test_ruff_and_the_tool_agree_on_the_form(chapter):
    tool("format", chapter)
    notebook = json.loads(chapter.read_text())
    notebook["cells"][1]["source"] = ["pass"]  # the bootstrap cell, which no page shows and everybody has alike
    chapter.write_text(once := json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", chapter], check=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--quiet",
            "--select",
            "E,F,I",
            chapter,
        ],
        check=False,
    )
    assert chapter.read_text() == once


def test_the_form_is_a_valid_notebook_that_keeps_what_matters(chapter):
    tool("format", chapter)
    notebook = nbformat.read(chapter, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info", "lllcourse"}
    title, bootstrap, plain, _, tagged = notebook.cells
    assert "Große Überschrift" in chapter.read_text(encoding="utf-8")
    assert title.source == "# Große Überschrift"
    assert bootstrap.id == "bootstrap" and f"{URL}/releases/download/v1.2/" in bootstrap.source
    assert bootstrap.metadata.tags == ["bootstrap", "remove-cell"]
    assert plain.source == "x = 1\nx" and plain.outputs == [] and plain.execution_count is None
    assert tagged.outputs and tagged.execution_count == 4


def test_check_finds_a_missing_id(chapter):
    code, output = edited(chapter, lambda cells: cells[2].pop("id"))
    assert code == 1 and "without an id" in output


def test_check_finds_a_repeated_id(chapter):
    code, output = edited(chapter, lambda cells: cells[2].update(id=cells[3]["id"]))
    assert code == 1 and "two with the same" in output


def test_check_finds_a_stray_output(chapter):
    code, output = edited(chapter, lambda cells: cells[2].update(outputs=[STREAM]))
    assert code == 1 and "cell 2 has outputs" in output


def test_check_finds_a_line_that_a_page_would_scroll(chapter):
    code, output = edited(chapter, lambda cells: cells[2].update(source=["x = '" + 80 * "-" + "'"]))
    assert code == 1 and "cell 2 (" in output and "more than 84 characters" in output


@pytest.mark.parametrize(
    "change",
    [lambda cells: cells.pop(1), lambda cells: cells[1].update(source=["pass"])],
)
def test_check_finds_a_wrong_bootstrap_cell(chapter, change):
    code, output = edited(chapter, change)
    assert code == 1 and "bootstrap cell is missing or differs" in output


def test_check_finds_a_tagged_cell_without_output(chapter):
    code, output = edited(chapter, lambda cells: cells[4].update(outputs=[], execution_count=None))
    assert code == 1 and "cell 4 is tagged nbval-check-output" in output


def test_check_finds_trailing_white_space(chapter):
    code, output = edited(chapter, lambda cells: cells[0].update(source=["# Title  "]))
    assert code == 1 and "normal form" in output


def fold(cell, title="Draws the figure"):
    cell["metadata"] |= {"tags": ["hide-input"], "lllcourse": {"shows": ["L1"], "title": title}}


def test_format_writes_what_a_fold_needs_and_takes_it_back(chapter):
    tool("format", chapter)
    plain = chapter.read_text()
    notebook = json.loads(plain)
    fold(notebook["cells"][2])
    notebook["cells"][2]["metadata"]["mystnb"] = {"image": {"alt": "A line."}}
    chapter.write_text(json.dumps(notebook))
    assert "normal form" in tool("check", chapter)[1]
    tool("format", chapter)
    assert tool("check", chapter) == (0, "")
    notebook = json.loads(chapter.read_text())
    metadata = notebook["cells"][2]["metadata"]
    assert metadata["jupyter"] == {"source_hidden": True}
    assert metadata["mystnb"] == {
        "image": {"alt": "A line."}, "code_prompt_show": "Draws the figure", "code_prompt_hide": "Draws the figure",
    }  # fmt: skip
    del metadata["tags"], metadata["lllcourse"], metadata["mystnb"]["image"]
    chapter.write_text(json.dumps(notebook))
    assert "normal form" in tool("check", chapter)[1]
    tool("format", chapter)
    assert chapter.read_text() == plain


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: fold(cell, title=""),
        lambda cell: cell["metadata"].update(tags=["hide-input"]),
        lambda cell: cell["metadata"].update(lllcourse={"title": "Draws the figure"}),
    ],
)
def test_check_finds_a_fold_without_title_and_a_title_without_fold(chapter, change):
    code, output = edited(chapter, lambda cells: change(cells[2]))
    assert code == 1 and "cell 2" in output and "needs a title" in output


@pytest.mark.parametrize(("source", "problem"), [("ax.set(x=1)", True), ("ax.set(x=1);", False), ("y = 1", False)])
def test_check_finds_a_figure_whose_cell_shows_a_second_output(chapter, source, problem):
    figure = {"mystnb": {"figure": {"name": "fig-1", "caption": "A line."}}}
    code, output = edited(chapter, lambda cells: cells[2].update(metadata=figure, source=[source]))
    assert (code == 1 and "semicolon" in output) if problem else (code == 0)


def test_record_takes_a_tagged_output_from_the_executed_copy(chapter):
    edited(chapter, lambda cells: cells[4].update(outputs=[], execution_count=None))
    notebook = json.loads(chapter.read_text())
    notebook["cells"][4]["outputs"] = [STREAM]
    executed = chapter.parents[1] / "_build" / "executed" / "book" / chapter.name
    executed.parent.mkdir(parents=True)
    executed.write_text(json.dumps(notebook))
    assert tool("record", chapter)[0] == 0
    assert tool("check", chapter) == (0, "")


def test_the_guides_follow_the_address_and_the_version(chapter):
    guide = chapter.parent / "students.md"
    guide.write_text(
        "```bash\ngit clone https://github.com/OWNER/x && cd x\n"
        "pip install jupyterlab https://github.com/OWNER/x/releases/download/v1.1/lllcourse-1.1-py3-none-any.whl\n```\n"
    )
    check = [*TOOL, "check", "--root", str(chapter.parents[1])]
    assert "students.md: names another address" in subprocess.run(check, capture_output=True, text=True).stdout
    subprocess.run([*check[:3], "format", *check[4:]], check=True)
    wheel = f"{URL}/releases/download/v1.2/lllcourse-1.2-py3-none-any.whl"
    assert guide.read_text() == f"```bash\ngit clone {URL} && cd x\npip install jupyterlab {wheel}\n```\n"
    assert "students.md" not in subprocess.run(check, capture_output=True, text=True).stdout

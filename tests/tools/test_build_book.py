"""Neither a cell's error nor an output older than the code reaches a page, on the first build or a later one."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

TOOL = [sys.executable, "-m", "tools.build_book"]
PAGE = "_build/html/book/01_x.html"


@pytest.fixture
def book(tmp_path):
    files = {
        "_config.yml": "title: Mini\nauthor: Nobody\nonly_build_toc_files: true\nexecute: {execute_notebooks: 'off'}\n",
        "_toc.yml": "format: jb-book\nroot: book/index\nchapters:\n  - file: book/01_x\n",
        "book/index.md": "# Mini\n\nText.\n",
        "lllcourse/__init__.py": "answer = 'forty-two'\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    write_chapter(tmp_path, "import lllcourse\nprint('seen:', lllcourse.answer)")
    return tmp_path


def write_chapter(book, code):
    title, cell = (
        nbformat.v4.new_markdown_cell("# One", id="title"),
        nbformat.v4.new_code_cell(code, id="the-cell"),
    )
    notebook = nbformat.v4.new_notebook(cells=[title, cell])
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    nbformat.write(notebook, book / "book" / "01_x.ipynb")


def build(book, *options):
    done = subprocess.run(
        [*TOOL, "--root", book, *options], capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def test_a_cell_error_fails_every_build_and_leaves_no_page(book):
    write_chapter(book, "raise ValueError('lambda is negative')")
    for _ in range(2):
        code, output = build(book)
        assert code == 1
        assert "book/01_x.ipynb, cell 1 (id the-cell)" in output
        assert "ValueError: lambda is negative" in output
        assert not (book / PAGE).exists()
        assert not (book / "_build" / "executed").exists()
    write_chapter(book, "print('mended')")
    code, output = build(book)
    assert code == 0, output
    assert "mended" in (book / PAGE).read_text()
    assert "lambda is negative" not in (book / PAGE).read_text()


def test_a_page_follows_an_edit_of_the_package(book):
    code, output = build(book)
    assert code == 0, output
    assert "executed in" in output
    assert "seen: forty-two" in (book / PAGE).read_text()
    assert "cached" in build(book, "--execute-only")[1]

    (book / "lllcourse" / "__init__.py").write_text("answer = 'forty-three'\n")
    code, output = build(book)
    assert code == 0, output
    assert "executed in" in output
    assert "seen: forty-three" in (book / PAGE).read_text()
    assert len(list((book / "_build").glob(".cache-*"))) == 1, "the old cache is gone"

    # An error that an edit of the package brings in leaves the last good page as it was.
    (book / "lllcourse" / "__init__.py").write_text("")
    code, output = build(book)
    assert code == 1 and "AttributeError" in output
    assert "seen: forty-three" in (book / PAGE).read_text()


def test_the_executed_chapter_states_its_code_and_its_cost(book):
    write_chapter(
        book,
        "import time\nstop = time.process_time() + 1\nwhile time.process_time() < stop: pass\n'done'",
    )
    assert build(book, "--execute-only")[0] == 0
    assert not (book / "_build" / "html").exists()
    executed = json.loads(
        (book / "_build" / "executed" / "book" / "01_x.ipynb").read_text()
    )
    stated = executed["metadata"]["lllcourse_build"]
    assert (book / "_build" / f".cache-{stated['code']}").is_dir()
    assert 1 <= stated["cpu_seconds"] < 10
    assert executed["cells"][1]["outputs"][0]["data"]["text/plain"] == ["'done'"]


def test_a_warning_fails_the_build(book):
    (book / "book" / "index.md").write_text("# Mini\n\nSee {term}`nowhere defined`.\n")
    code, output = build(book)
    assert code == 1 and "nowhere defined" in output
    assert not (book / PAGE).exists()


def test_a_chapter_that_is_edited_during_the_build_is_named(book):
    """The chapter itself plays the editor."""
    change = "path.write_text(path.read_text().replace('# One', '# Two'))"
    write_chapter(
        book, f"from pathlib import Path\npath = Path('01_x.ipynb')\n{change};"
    )
    code, output = build(book)
    assert code == 1 and "book/01_x.ipynb was edited during the build" in output
    assert "Traceback" not in output
    assert build(book)[0] == 0

"""Neither a cell's error nor an output older than the code reaches a page, on the first build or a later one."""

import json
import subprocess
import sys

import nbformat
import pytest

from ..proofs import files

TOOL = [sys.executable, "-m", "tools.build_book"]
PAGE = "_build/html/book/01_x.html"
prove = pytest.mark.prove(on=files("tools/build_book.py", "tools/imports.py", "tools/workers.py", "requirements.lock"))


@pytest.fixture
def book(tmp_path):
    texts = {
        "_config.yml": "title: Mini\nauthor: Nobody\nonly_build_toc_files: true\nexecute: {execute_notebooks: 'off'}\n"
        "repository: {url: 'https://github.com/someone/mini'}\n",
        "_toc.yml": "format: jb-book\nroot: book/index\nchapters:\n  - file: book/01_x\n",
        "book/index.md": "# Mini\n\nText.\n",
        "lllcourse/__init__.py": "_NAMES = {'facts': ('answer',), 'other': ()}\nfrom .facts import answer\n",
        "lllcourse/facts.py": "answer = 'forty-two'\n",
        "lllcourse/other.py": "",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    write_chapter(tmp_path, "import lllcourse\nprint('seen:', lllcourse.answer)")
    return tmp_path


def write_chapter(book, code):
    title = nbformat.v4.new_markdown_cell("# One", id="title")
    notebook = nbformat.v4.new_notebook(cells=[title, nbformat.v4.new_code_cell(code, id="the-cell")])
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(notebook, book / "book" / "01_x.ipynb")


def build(book, *options):
    done = subprocess.run([*TOOL, "--root", book, *options], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def executed(book):
    return json.loads((book / "_build/executed/book/01_x.ipynb").read_text())


@prove
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


@prove
def test_a_page_follows_an_edit_of_what_it_imports(book):
    code, output = build(book)
    assert code == 0, output
    assert "executed in" in output
    assert "seen: forty-two" in (book / PAGE).read_text()
    (book / "lllcourse/other.py").write_text("unrelated = True\n")
    assert "cached" in build(book, "--execute-only")[1]

    (book / "lllcourse/facts.py").write_text("answer = 'forty-three'\n")
    code, output = build(book)
    assert code == 0, output
    assert "executed in" in output
    assert "seen: forty-three" in (book / PAGE).read_text()

    # An error that an edit of the package brings in leaves the last good page as it was.
    (book / "lllcourse/facts.py").write_text("")
    code, output = build(book)
    assert code == 1 and "ImportError" in output
    assert "seen: forty-three" in (book / PAGE).read_text()


def test_the_executed_chapter_states_its_key_its_cost_and_what_it_loaded(book):
    busy = "while time.process_time() < stop: pass"
    write_chapter(book, f"import time, lllcourse\nstop = time.process_time() + 1\n{busy}\n'done'")
    assert build(book, "--execute-only")[0] == 0
    assert not (book / "_build" / "html").exists()
    stated = executed(book)["metadata"]["lllcourse_build"]
    assert len(stated["key"]) == 16
    assert 1 <= stated["cpu_seconds"] < 10
    assert stated["modules"] == ["lllcourse", "lllcourse.facts"]
    cells = executed(book)["cells"]
    assert len(cells) == 2 and cells[1]["outputs"][0]["data"]["text/plain"] == ["'done'"]


@prove
def test_a_warning_fails_the_build(book):
    (book / "book" / "index.md").write_text("# Mini\n\nSee {term}`nowhere defined`.\n")
    code, output = build(book)
    assert code == 1 and "nowhere defined" in output
    assert not (book / PAGE).exists()


@prove
@pytest.mark.parametrize("edits", ["01_x.ipynb", "../lllcourse/facts.py"])
def test_an_edit_during_the_build_is_noticed(book, edits):
    """The chapter itself plays the editor. What ran while the code changed is not kept for a later build."""
    path = book / "book" / edits
    change = f"path = Path({str(path)!r})\npath.write_text(path.read_text() + ' ')"
    if edits.endswith(".ipynb"):
        change = f"path = Path({str(path)!r})\npath.write_text(path.read_text().replace('print', 'type'))"
    before = write_chapter(book, f"from pathlib import Path\nimport lllcourse\nprint(1)\n{change};") or path.read_text()
    code, output = build(book)
    assert code == 1 and "book/01_x.ipynb, or what it imports, was edited during the build" in output
    assert "Traceback" not in output
    path.write_text(before)
    write_chapter(book, "from pathlib import Path\nimport lllcourse\nprint(1)")
    assert build(book)[0] == 0

"""The map of the lecture as a page: every row, and what the executed chapters say of it."""

import json
import re
from pathlib import Path

import pytest
import yaml

from lllcourse import notebook

from .pages import build

ROOT = Path(__file__).parents[2]
ROWS = """
L25: {kind: figure, chapter: lifelong/06_gem}
L26: {kind: experiment, chapter: lifelong/06_gem}
L27: {kind: experiment, chapter: lifelong/07_growing}
C1: {kind: figure, chapter: compression/11_smaller_models, planned: true}
"""
MAP = """# The map

```{lecture-map}
L25: The closest step, $g'$.
L26: GEM needs old data.
L27: Columns.
C1: Small devices.
```
"""
PAGES = {"book/lecture.md": MAP, "book/lecture_map.yml": ROWS}
INDEX = "# Book\n\n```{toctree}\nbook/lecture\nbook/lifelong/06_gem\nbook/lifelong/07_growing\n```\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages of a book of two chapters, of which the first was executed and made two claims."""
    folder, outputs = tmp_path_factory.mktemp("book"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebook, "_display", outputs.append)
        holds = {"seed 0": True, "seed 1": False}
        notebook.claim("L26", "A few < many", holds=holds, lecture="it helps", here="74 %")
        notebook.claim("L26", "It takes time", holds={"seed 0": True}, lecture=None, here="3.1 times")
    executed = folder / "_build/executed/book/lifelong/06_gem.ipynb"
    executed.parent.mkdir(parents=True)
    executed.write_text(json.dumps({"cells": [{"outputs": [{"data": data} for data in outputs]}]}))
    boxes = "\n\n".join(data["text/html"] for data in outputs)
    chapters = {
        "book/lifelong/06_gem.md": f"# Gradient episodic memory\n\n{boxes}\n",
        "book/lifelong/07_growing.md": "# Growing\n",
    }
    result, html = build(folder, ["lecture_map"], PAGES | {"index.md": INDEX} | chapters)
    assert result.returncode == 0, result.stderr
    return html


def text_of(html):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", "", html))


def row_of(page, row):
    """The text of one row of the map."""
    after = page.split(f'id="{row}"')[1]
    return text_of("<" + re.split(r'class="lll-map-row|<footer|class="sphinxsidebar', after)[0])


def test_a_row_has_its_anchor_its_chapter_and_its_verdicts_with_the_numbers(site):
    page = site["book/lecture.html"]
    assert 'href="lifelong/06_gem.html"' in page
    assert "figure · 06 Gradient episodic memory" in row_of(page, "l25")
    row = row_of(page, "l26")
    assert "holds in part (1 of 2): A few &lt; many; lecture: it helps; here: 74 %" in row
    assert "holds: It takes time; our claim; here: 3.1 times" in row
    assert "Verdicts: holds 1, holds in part 1, does not show 0." in text_of(page)


def test_what_was_not_executed_or_is_planned_says_so(site):
    page = site["book/lecture.html"]
    assert "experiment · 07 Growing · not executed" in row_of(page, "l27")
    assert "figure · 11 smaller models · planned" in row_of(page, "c1")


def test_the_box_of_a_verdict_links_to_its_row(site):
    assert site["book/lifelong/06_gem.html"].count('[<a href="../lecture.html#l26">L26</a>]') == 2


@pytest.mark.parametrize("line", ["L99: No such row.", "Some text."])
def test_a_line_that_is_no_row_fails_the_build(tmp_path, line):
    pages = PAGES | {"index.md": f"# Map\n\n```{{lecture-map}}\nL26: GEM.\n{line}\n```\n"}
    result, _ = build(tmp_path, ["lecture_map"], pages)
    assert result.returncode != 0 and "line 2 of this map" in result.stderr


def test_the_page_has_every_row_of_the_lecture():
    rows = yaml.safe_load((ROOT / "book/lecture_map.yml").read_text(encoding="utf-8"))
    page = (ROOT / "book/lecture.md").read_text(encoding="utf-8")
    assert re.findall(r"^([LC]\d+): ", page, re.MULTILINE) == list(rows)

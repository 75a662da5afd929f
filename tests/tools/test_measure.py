"""What counts as a word and as a line of a chapter, on small notebooks."""

import inspect
from pathlib import Path

import pytest

from tools import measure as tool

ROOT = Path(__file__).parents[2]
FOLD = {"tags": ["hide-input"]}


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source, *outputs, **metadata):
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": list(outputs)}


def output(**data):
    return {"output_type": "display_data", "data": {kind.replace("_", "/"): value for kind, value in data.items()}}


def picture():
    return output(**{"image_svg+xml": "<svg>some words</svg>", "text_plain": "<Figure size 640x480>"})


def measure(*cells):
    return tool.measure({"cells": list(cells)}, ROOT / "book/lifelong")


@pytest.mark.parametrize(
    "source, words",
    [
        ("# A title\n\nThree words, then *one* - and `two words`.", 9),
        ("The loss $L(\\theta) + \\lambda \\sum_i b_i$ is small.", 5),
        ("It is\n\n$$\n\\min_{g'} | g' - g |\n$$\n\nhere.", 4),
        ("\\begin{align}\na &= b + c\n\\end{align}", 1),
        ("A {term}`task <the task>` and {term}`GEM` {cite}`lopezpaz2017,chaudhry2019`.", 6),
        ("| a | b |\n|---|---|\n| c d | 1.5 |", 5),
        ("[a link](other.ipynb) and ![no words of the alt text](x.png)", 3),
        ("% a comment\n\n(a-target)=\ntwo words", 2),
        ("```{note}\nthree words inside\n```", 3),
        ("```{admonition} Its title\nthree words inside\n```", 5),
        (":::{note}\n:class: tip\nthree words inside\n:::", 3),
        ("Term\n: its meaning here", 4),
    ],
)
def test_words_are_those_that_the_page_shows(source, words):
    assert measure(text(source)).words == words


@pytest.mark.parametrize(
    "fold",
    ["```{dropdown} The title\n%s\n```", "```{admonition} The title\n:class: dropdown\n\n%s\n```"],
)
def test_a_fold_counts_with_its_title_alone_and_its_words_apart(fold):
    found = measure(text(fold % "Five words with $a$ formula.\n\n$$\nx\n$$"))
    assert found.words == 2 and found.derivations == {"The title": 6}


def test_solutions_do_not_count_on_one_cell_or_over_several():
    one = text("```{solution} ex-1\n:class: dropdown\nwords\n```")
    several = [text("```{solution-start} ex-1\n```"), code("x = 1"), text("words"), text("```{solution-end}\n```")]
    found = measure(one, *several, text("two words"))
    assert (found.words, found.lines, found.derivations) == (2, 0, {})


def test_of_a_quiz_the_question_and_the_answers_count_and_no_explanation():
    quiz = ":::{quiz} Why two words?\n- [ ] To make it\n  square.\n\n  It is not.\n- [x] To know.\n\n  It is $x$.\n:::"
    assert measure(text(quiz)).words == 3 + 4 + 2


def test_nothing_counts_from_the_exercises_on():
    found = measure(text("two words\n\n## Exercises\n\nmore"), code("x = 1"), text("and more"))
    assert found.words == 2 and found.lines == 0  # a heading that ends the count is not in it


def test_lines_are_those_of_cells_that_are_not_folded():
    shown = code("# a comment\nx = 1\n\ny = 2")
    folded = code("x = 1", tags=["hide-input"], lllcourse={"title": "Draws the figure"})
    found = measure(shown, folded, code("%pip install x", tags=["bootstrap", "remove-cell"]))
    assert found.lines == 3 and found.words == 3  # the title of the fold


def test_lines_that_show_prints_count_wherever_it_is_called():
    source = "def f(x):\n\n    return x"
    printed = output(text_markdown=f"```python\n{source}\n```", text_plain=source)
    found = measure(code("show(f)", printed), code("show(f)", printed, **FOLD))
    assert found.lines == 1 + 2 + 2 and found.words == 0


def test_lines_that_a_page_includes_or_spells_out_count():
    include = "```{literalinclude} ../../tools/measure.py\n:pyobject: measure\n```"
    lines = inspect.getsource(tool.measure).splitlines()
    assert measure(text(include)).lines == sum(bool(line.strip()) for line in lines)
    assert measure(text("```python\nx = 1\n\ny = 2\n```")).lines == 2


def test_what_a_cell_prints_is_words_and_a_caption_too():
    stream = {"output_type": "stream", "name": "stdout", "text": ["two words\n"]}
    html = output(text_html="<p><b>Holds here:</b> it forgets</p>", text_plain="Holds here: it forgets\n  And more")
    caption = {"mystnb": {"figure": {"caption": "A caption with $x$."}}}
    found = measure(code("f()", stream, **FOLD), code("g()", html, **FOLD), code("h()", picture(), **FOLD, **caption))
    assert found.words == 2 + 4 + 4
    hidden = code("f()", stream, tags=["hide-input", "hide-output"])
    assert measure(hidden).words == 0


def test_a_card_counts_as_it_is_shown():
    found = measure(text("```{method-card} gem\n```"))
    shown = tool.card("gem").replace("```text", "").replace("```", "")
    assert found.words == measure(text(shown)).words > 100 and found.lines == 0


def test_the_first_picture_is_found_in_the_text_and_in_the_outputs():
    cells = text("# A title"), code("f()", picture(), **FOLD), text("much text"), code("f()", picture(), **FOLD)
    assert measure(*cells).before_picture == 2
    assert measure(text("three words ago"), text("![alt](x.png)")).before_picture == 3
    assert measure(text("no picture")).before_picture is None


def test_reading_takes_a_minute_for_200_words_or_12_lines():
    assert tool.Measure(words=400, lines=24).minutes == 4


def test_the_table_has_a_line_for_each_chapter(capsys):
    chapter = next((ROOT / "book/lifelong").glob("01_*.ipynb"))
    assert tool.main([str(chapter)]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header.startswith("chapter") and line.startswith("01_catastrophic_forgetting")

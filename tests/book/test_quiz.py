"""The {quiz} directive: what it renders, and that a malformed quiz fails the build."""

import html
import re

import pytest

from .pages import build

QUIZ = """
# Page

:::{quiz} Why does $R$ need a **row 0**?
- [ ] To make it square.

  It is not square: it has one row more
  than it has columns.
- [x] To know what an `untrained` network scores.

  Forward transfer is measured against it.
:::
"""


def built(tmp_path, text):
    result, html = build(tmp_path, ["quiz"], {"index.md": text})
    return result, html.get("index.html", "")


def test_every_answer_folds_around_its_explanation(tmp_path):
    result, page = built(tmp_path, QUIZ)
    assert result.returncode == 0, result.stderr
    assert page.count('<details class="lll-answer">') == 2
    assert '<p class="lll-wrong"><strong>Not quite.</strong> It is not square: it has one row more than' in page
    assert '<p class="lll-right"><strong>Right.</strong> Forward transfer is measured' in page


def test_markup_works_in_question_answer_and_explanation(tmp_path):
    _, page = built(tmp_path, QUIZ)
    assert "<strong>row 0</strong>" in page and "math" in page and '<span class="pre">untrained</span>' in page


def test_an_answer_that_would_begin_a_block_is_shown_as_it_stands(tmp_path):
    answers = ["1.", "1) and 2)", "- 1", "+ 1", "# of tasks", "> 100", ": a colon", "***"]
    quiz = "".join(f"- [x] {answer}\n\n  Because.\n" for answer in answers)
    result, page = built(tmp_path, f"# Page\n\n:::{{quiz}} 2. Which?\n{quiz}:::\n")
    assert result.returncode == 0, result.stderr
    assert re.findall("<summary>(.*?)</summary>", page) == [html.escape(answer) for answer in answers]
    assert '<p class="lll-question">2. Which?</p>' in page


@pytest.mark.parametrize(
    "change, message",
    [
        (("- [x]", "- [ ]"), "a right one among them"),
        (("  Forward transfer is measured against it.\n", ""), "has no explanation"),
    ],
)
def test_a_malformed_quiz_fails_the_build_and_says_why(tmp_path, change, message):
    result, _ = built(tmp_path, QUIZ.replace(*change))
    assert result.returncode != 0 and message in result.stderr

"""The {quiz} directive: what it renders, and that a malformed quiz fails the build."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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


def build(tmp_path, text):
    (tmp_path / "conf.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT / 'book/_ext')!r})\n"
        "extensions = ['myst_parser', 'quiz']\n"
        "myst_enable_extensions = ['colon_fence', 'dollarmath']\nhtml_theme = 'basic'\n"
    )
    (tmp_path / "index.md").write_text(text)
    result = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(tmp_path), str(tmp_path / "out")],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    page = tmp_path / "out/index.html"
    return result, page.read_text() if result.returncode == 0 else ""


def test_every_answer_folds_around_its_explanation(tmp_path):
    result, page = build(tmp_path, QUIZ)
    assert result.returncode == 0, result.stderr
    assert page.count('<details class="lll-answer">') == 2
    assert (
        '<p class="lll-wrong"><strong>Not quite.</strong> It is not square: it has one row more than'
        in page
    )
    assert (
        '<p class="lll-right"><strong>Right.</strong> Forward transfer is measured'
        in page
    )


def test_markup_works_in_question_answer_and_explanation(tmp_path):
    _, page = build(tmp_path, QUIZ)
    assert (
        "<strong>row 0</strong>" in page
        and "math" in page
        and '<span class="pre">untrained</span>' in page
    )


@pytest.mark.parametrize(
    "change, message",
    [
        (("- [x]", "- [ ]"), "a right one among them"),
        (("  Forward transfer is measured against it.\n", ""), "has no explanation"),
    ],
)
def test_a_malformed_quiz_fails_the_build_and_says_why(tmp_path, change, message):
    result, _ = build(tmp_path, QUIZ.replace(*change))
    assert result.returncode != 0 and message in result.stderr

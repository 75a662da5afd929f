"""The page that a student gets: what it says, what it keeps to itself, and that nothing on it runs."""

import re
import time
from dataclasses import replace

import msgspec
import pytest
from bs4 import BeautifulSoup

from grader import feedback, outcome
from grader.gradebook import Mark, Marks

from . import harness
from .pages import runs
from .results import HOSTILE, NAME, WRITTEN, hostile, result

SOURCE = harness.source(NAME)
MOST = SOURCE.points | {WRITTEN: SOURCE.cell(WRITTEN).points}


def marks(made, comments=None, penalty=0.0, **changed):
    """What the gradebook holds once `made` is written, and a person changed some of it (- is _ in a name)."""
    changed = {name.replace("_", "-"): facts for name, facts in changed.items()}
    found = {test.id: Mark(test.points, test.most, 0.0, False, False) for test in made.tests}
    found[WRITTEN] = Mark(0.0, MOST[WRITTEN], 0.0, WRITTEN in made.waiting, False)
    found = {name: replace(mark, **changed.get(name, {})) for name, mark in found.items()}
    return Marks(found, comments or {}, penalty)


def page(made, *args, **kwargs):
    return feedback.render(made, marks(made, *args, **kwargs))


def soup(made, *args, **kwargs):
    return BeautifulSoup(page(made, *args, **kwargs), "html.parser")


def overview(shown):
    """The table at the top: from each question to its points and its result."""
    rows = [[cell.get_text().strip() for cell in row("td")] for row in shown.select(".overview tbody tr")]
    return {question: (points, words) for question, points, words in rows}


def test_the_table_says_of_every_question_its_points_and_its_state():
    tests = {
        "test-importance": outcome.Test("test-importance", 0, 3, "failed", "Square first."),
        "test-guarded-loss": outcome.Test("test-guarded-loss", 0, 1, "waits", "This waits for penalty."),
        "test-training": outcome.Test("test-training", 0, 1, "stopped", "More time than grading allows."),
    }
    shown = soup(result(SOURCE.path, tests=tests), test_best_lambda={"points": 0.5, "by_hand": True})
    assert overview(shown) == {
        "Question 1: which weights matter?": ("0 of 3", "failed"),
        "Question 2: what does it cost to move?": ("2 of 2", "passed"),
        "Question 3: where are the springs fastened?": ("2 of 2", "passed"),
        "Question 4: train under guard": ("0 of 1", "waits for another question"),
        "The training run": ("0 of 1", "took too long, or ended Python"),
        "Question 5: how stiff?": ("0.5 of 1", "passed, scored by a person"),
        "Question 6: what does the strength do?": ("– of 3", "waits for a person to read it"),
    }
    for message in ("Square first.", "This waits for penalty.", "More time than grading allows."):
        assert len(shown(string=message)) == 1
    assert shown.h1.get_text() == "Assignment 1: Elastic weight consolidation"


def test_the_total_counts_what_is_scored_and_says_what_waits_and_what_was_taken_off():
    made = result(SOURCE.path, failed=["test-penalty"])
    text = soup(made, penalty=1.0).get_text()
    assert "7 of 13 points so far" in text and "3 points wait for a person to read your answer." in text
    assert "1 point was taken off because it was handed in late." in text
    read = {"points": 2.75, "extra": 0.5, "waits": False, "by_hand": True}
    text = soup(made, interpretation=read).get_text()
    assert "10.75 of 13 points\n" in text and "2.75 of 3 (0.5 of them extra)" in text and "wait for" not in text


def test_an_empty_answer_is_called_so():
    shown = soup(result(SOURCE.path, answer=None))
    assert overview(shown)["Question 6: what does the strength do?"] == ("0 of 3", "no answer")
    assert "YOUR ANSWER HERE" not in shown.get_text()


def test_the_students_code_is_folded_with_what_it_printed_and_why_it_stopped():
    made = result(SOURCE.path, code={"penalty": "if 1 < 2: print('<b>')"})
    said = {"output": "<b>\n", "error": "NameError: x"}
    cells = [msgspec.structs.replace(cell, **(said if cell.id == "penalty" else {})) for cell in made.cells]
    shown = soup(msgspec.structs.replace(made, cells=cells))
    fold = next(fold for fold in shown("details") if fold.summary.get_text() == "Your code: penalty")
    assert [pre.get_text() for pre in fold("pre")] == ["if 1 < 2: print('<b>')", "<b>"] and not fold.has_attr("open")
    assert any(pre.get_text() == "NameError: x" for pre in shown("pre"))


def test_a_graders_comment_is_text():
    shown = soup(result(SOURCE.path), {WRITTEN: "**Nice**\n<b>x</b>\x07", "penalty": "Shorter?"})
    assert [tag.get_text() for tag in shown.select(".comment .said")] == ["Shorter?", "**Nice**\n<b>x</b>"]


def test_nothing_of_a_hidden_test_and_nothing_for_the_instructor_is_in_it():
    tests = {
        cell.id: outcome.Test(cell.id, 0, cell.points, "failed", "A hint.", "Traceback: secret", True, 123.456)
        for cell in SOURCE.role("test")
    }
    made = msgspec.structs.replace(result(SOURCE.path, tests=tests), notes=["odd secret"], seconds=123.456)
    shown = page(made)
    assert "secret" not in shown and "123" not in shown and "HIDDEN" not in shown
    for cell in SOURCE.role("test"):
        for line in filter(None, map(str.strip, cell.source.split("\n"))):
            assert len(line) < 12 or line not in shown


def test_nothing_on_it_runs_or_is_loaded_and_what_is_harmless_stays():
    shown = page(hostile(SOURCE.path))
    assert list(runs(shown)) == list(runs(page(result(SOURCE.path))))
    assert "default-src 'none'" in shown and "url(" not in shown and "<script" not in shown
    text = BeautifulSoup(shown, "html.parser").get_text()
    for kept in ("$a < b$", "mine", "{{ 7 * 7 }}", "</pre></details></style><script>steal()</script>"):
        assert kept in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", shown)
    assert "secret" not in shown


def test_every_link_of_the_table_leads_to_a_section():
    shown = soup(hostile(SOURCE.path))
    targets = [tag["href"].removeprefix("#") for tag in shown.select(".overview a")]
    ids = [tag["id"] for tag in shown.find_all(id=True)]
    assert targets and set(targets) <= set(ids) and len(ids) == len(set(ids))


PICTURE = "data:image/png;base64," + "iVBORw0KGgoA" * 100_000


def test_a_picture_in_an_answer_stays_and_costs_no_time():
    start = time.process_time()
    made = feedback.markdown(f"See ![figure]({PICTURE}) and **this**.")
    assert BeautifulSoup(made, "html.parser").img.attrs == {"alt": "figure", "src": PICTURE}
    assert "<strong>this</strong>" in made and time.process_time() - start < 2


@pytest.mark.parametrize("text", ["*a **b " * 10_000, "> " * 9_000 + "x < y", "[" * 19_000, "x < y\n" * 4000])
def test_no_text_stops_the_page(text):
    start = time.process_time()
    assert len(feedback.markdown(text)) >= len(text) // 2
    assert time.process_time() - start < 5


def test_markdown_keeps_tables_and_addresses_and_no_other():
    table, link = "| a | b |\n|---|---|\n| 1 | 2 |", "[paper](https://arxiv.org/abs/1612.00796)"
    made = feedback.markdown(f"{table}\n\n{link}\n\n{HOSTILE}")
    assert "<td>1</td>" in made and 'href="https://arxiv.org/abs/1612.00796"' in made
    assert made.count("href") == 1 and "src" not in made and 'alt="a picture from elsewhere"' in made


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return sum(
        weight * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
        for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
    )


@pytest.mark.parametrize("scheme", [0, 1])
def test_every_text_can_be_read_on_the_light_and_on_the_dark_page(scheme):
    """Contrast of at least 4.5 to 1, as the Web Content Accessibility Guidelines ask for."""
    blocks = re.findall(r":root \{(.*?)\}", feedback.TEMPLATE.read_text(encoding="utf-8"), re.DOTALL)
    colours = {name: luminance(value) for name, value in re.findall(r"--(\w+): (#\w{6})", blocks[scheme])}
    for text in ("text", "faint", "good", "bad", "wait", "accent"):
        for ground in ("page", "card", "code"):
            low, high = sorted((colours[text], colours[ground]))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)

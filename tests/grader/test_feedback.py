"""The page that a student gets: what it says, what it keeps to itself, and that nothing on it runs."""

import base64
import json
import re
import time
from dataclasses import replace

import msgspec
import pytest
from bs4 import BeautifulSoup

from grader import assignment, feedback, outcome, session
from grader.gradebook import Mark, Marks
from grader.sandbox.limits import Limits

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
        "test-importance": outcome.Test("test-importance", 0, 16, "failed", "Square first."),
        "test-fold": outcome.Test("test-fold", 0, 12, "stopped", "More time than grading allows."),
        "test-training": outcome.Test("test-training", 0, 6, "waits", "This waits for fold."),
    }
    shown = soup(result(SOURCE.path, tests=tests), test_best_lambda={"points": 7.5, "by_hand": True})
    assert overview(shown) == {
        "Question 1: which weights matter to the loss?": ("0 of 16", "failed"),
        "Question 2: which weights do the outputs react to?": ("10 of 10", "passed"),
        "Question 3: do two measures agree?": ("8 of 8", "passed"),
        "Question 4: what does it cost to move?": ("10 of 10", "passed"),
        "Question 5: where are the weights held?": ("8 of 8", "passed"),
        "Question 6: all past tasks in two vectors": ("0 of 12", "took too long, or ended Python"),
        "Question 7: a step that never overshoots": ("12 of 12", "passed"),
        "The training run": ("0 of 6", "waits for another question"),
        "Question 8: how strong?": ("7.5 of 8", "passed, scored by a person"),
        "Question 9: what do you see?": ("– of 10", "waits for a person to read it"),
    }
    for message in ("Square first.", "This waits for fold.", "More time than grading allows."):
        assert len(shown(string=message)) == 1
    assert shown.h1.get_text() == "Assignment: Elastic weight consolidation"


def test_the_total_counts_what_is_scored_and_says_what_waits_and_what_was_taken_off():
    made = result(SOURCE.path, failed=["test-penalty"])
    text = soup(made, penalty=1.0).get_text()
    assert "79 of 100 points so far" in text and "10 points wait for a person to read your answer." in text
    assert "1 point was taken off because it was handed in late." in text
    read = {"points": 2.75, "extra": 0.5, "waits": False, "by_hand": True}
    text = soup(made, interpretation=read).get_text()
    assert "82.75 of 100 points\n" in text and "2.75 of 10 (0.5 of them extra)" in text and "wait for" not in text


def test_an_empty_answer_is_called_so():
    shown = soup(result(SOURCE.path, answer=None))
    assert overview(shown)["Question 9: what do you see?"] == ("0 of 10", "no answer")
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


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LINK = "![image.png](attachment:image.png)"


def coded(content):
    return base64.b64encode(content).decode()


def handed_in(*texts):
    """What grading gives of a notebook that has the written answer alone. texts: (Markdown, what is attached to it),
    the last of them the answer, the others above it.
    """
    notebook = json.loads(SOURCE.path.read_text(encoding="utf-8"))
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] in (WRITTEN, f"{WRITTEN}-text")]
    pristine = assignment.parse(notebook, SOURCE.path)
    for n, (text, attachments) in enumerate(texts, 1):
        made = {"cell_type": "markdown", "metadata": {}, "source": text, "attachments": attachments}
        if n < len(texts):
            notebook["cells"].insert(n, made | {"id": f"own-{n}"})
        else:
            notebook["cells"][-1].update(source=text, attachments=attachments)
    content = json.dumps(notebook).encode()
    return session.grade(pristine, content, student="ada", seed=0, make_worker=None, limits=Limits())


def test_a_picture_pasted_into_an_answer_or_a_text_beside_it_is_shown():
    other = PNG + b"another"
    shown = soup(handed_in((f"Mine: {LINK}", {"image.png": {"image/png": coded(other)}}),
                           (LINK, {"image.png": {"image/png": coded(PNG)}})))  # fmt: skip
    assert [tag.attrs for tag in shown("img")] == [
        {"src": f"data:image/png;base64,{coded(content)}", "alt": "image.png"} for content in (other, PNG)
    ]
    assert shown("img")[0].find_parent("details").summary.get_text() == "A text of your own"


@pytest.mark.parametrize("link", ["a b.png", "a%20b.png"])
@pytest.mark.parametrize("name", ["a b.png", "a%20b.png"])
def test_a_space_in_the_name_of_a_picture_does_not_matter(name, link):
    shown = soup(handed_in((f"![figure](<attachment:{link}>)", {name: {"image/png": coded(PNG)}})))
    assert shown.img["src"] == f"data:image/png;base64,{coded(PNG)}"


STEALS = {
    "an SVG": {"image/svg+xml": coded(b"<svg xmlns='http://www.w3.org/2000/svg' onload='steal()'/>")},
    "an SVG named PNG": {"image/png": coded(b"<svg xmlns='http://www.w3.org/2000/svg' onload='steal()'/>")},
    "a page named PNG": {"image/png": coded(b"<script>steal()</script>")},
    "a tag behind the picture": {"image/png": f'{coded(PNG)}"><script>steal()</script>'},
    "another type": {'image/png;base64,"><script>steal()</script>': coded(PNG)},
}


@pytest.mark.parametrize("kind", STEALS)
def test_what_is_no_picture_is_on_no_page(kind):
    """Neither as a grader reads it, nor where formgrader shows what nbgrader alone graded."""
    text = f"{LINK} It grows."
    shown = page(handed_in((text, {"image.png": STEALS[kind]})))
    assert "It grows." in shown and "steal" not in shown and coded(b"steal()</script>")[:12] not in shown
    assert not soup(handed_in((text, {"image.png": STEALS[kind]})))("img", src=True)
    made = feedback.markdown(text, {"image.png": STEALS[kind]})
    assert "It grows." in made and "steal" not in made and not list(runs(made))


def test_a_thousand_links_to_one_picture_show_it_once():
    large = PNG + bytes(300_000)
    text = "![](attachment:image.png) " * 700
    start = time.process_time()
    shown = page(handed_in((text, {"image.png": {"image/png": coded(large)}})))
    assert shown.count(coded(large)) == 1 and len(shown) < 600_000
    link, address = "![][a] " * 2500, f"data:image/png;base64,{coded(large)}"
    assert len(feedback.markdown(f"[a]: {address}\n\n{link}")) < 600_000
    assert time.process_time() - start < 5


def test_as_many_megabytes_as_are_read_cost_little_time():
    large = PNG + bytes(9_900_000)
    start = time.process_time()
    assert coded(large) in page(handed_in((LINK, {"image.png": {"image/png": coded(large)}})))
    assert time.process_time() - start < 5


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

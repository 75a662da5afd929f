"""The page that a student gets: one self-contained HTML file, made from the result and the marks in the gradebook.

It has no hidden test in it, nothing that is meant for the instructor, no script, and nothing that a browser would load.
"""

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import markupsafe

from . import gradebook
from .convert import load_config
from .course import Course
from .course import write as write_file
from .gradebook import Mark, Marks
from .outcome import Cell, Result, Test, cleaned

TEMPLATE = Path(__file__).with_name("feedback.html.j2")
STATES = {
    "passed": "passed",
    "failed": "failed",
    "waits": "waits for another question",
    "stopped": "took too long, or ended Python",
}


@dataclass
class Part:
    """What one code cell, test or text shows. kind: "code", "given", "test", "answer" or "note"."""

    kind: str
    id: str
    title: str = ""
    text: str = ""
    attachments: dict = field(default_factory=dict)
    output: str = ""
    error: str = ""
    mark: Mark | None = None
    state: str = ""
    word: str = ""
    comment: str = ""


@dataclass
class Section:
    """The parts below one heading of the assignment."""

    id: str
    title: str
    parts: list[Part] = field(default_factory=list)

    @property
    def graded(self) -> list[Part]:
        return [part for part in self.parts if part.mark]


def write(course: Course, result: Result) -> None:
    """Write feedback/<student>/<assignment>/<assignment>.html, where it is not there already.

    Raises MissingEntry where the gradebook has no marks of this student.
    """
    path = course.folder / "feedback" / result.student / course.name / f"{course.name}.html"
    page = render(result, gradebook.marks(course, result.student))
    if not path.is_file() or path.read_text(encoding="utf-8") != page:
        write_file(path, page)


def render(result: Result, marks: Marks) -> str:
    """The page."""
    title, sections = _sections(result, marks)
    parts = [part for section in sections for part in section.graded]
    return _template().render(
        title=title,
        student=cleaned(result.student),
        sections=sections,
        marks=marks,
        waiting=sum(part.mark.most for part in parts if part.state == "person"),
        number=_number,
        count=lambda value: f"{_number(value)} {'point' if value == 1 else 'points'}",
        points=_points,
        sentence=lambda text: text[:1].upper() + text[1:],
        markdown=markdown,
    )


@functools.cache
def _template():
    rules = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True, "undefined": jinja2.StrictUndefined}
    return jinja2.Environment(**rules).from_string(TEMPLATE.read_text(encoding="utf-8"))


def markdown(text: str, attachments: dict | None = None) -> markupsafe.Markup:
    """Markdown, with the pictures attached to it, as harmless HTML, as formgrader shows it; formulas stay text."""
    return markupsafe.Markup(_filter()({"cell": {"attachments": attachments or {}}}, cleaned(text)))


@functools.cache
def _filter():
    """From the repository's own rules: a class's copy of them may be an old one."""
    return load_config(Path(__file__).parents[1]).HTMLExporter.filters["markdown2html"]


def _sections(result, marks):
    """The title of the assignment, and its sections that have something to show."""
    tests = {test.id: test for test in result.tests}
    title, sections = "", [Section("start", "Before the first question")]
    for cell in result.cells:
        if cell.role == "text":
            text = re.sub(r"(?ms)^```.*?^```", "", cell.source)  # in code a # is no heading
            for level, heading in re.findall(r"(?m)^(#{1,4}) +(.+)$", text):
                if level == "#" and not title:
                    title = heading.strip()
                else:
                    sections.append(Section(cell.id, re.sub(r"\s*\([^()]*point[^()]*\)\s*$", "", heading).strip()))
        else:
            sections[-1].parts.extend(_parts(cell, tests.get(cell.id), marks, result))
    return title or result.assignment, [section for section in sections if section.parts]


def _parts(cell: Cell, test: Test | None, marks: Marks, result: Result):
    mark, comment = marks.marks.get(cell.id), cleaned(marks.comments.get(cell.id, ""))
    said = {"output": cleaned(cell.output).rstrip(), "error": cleaned(cell.error).strip(), "comment": comment}
    if cell.role == "test" and test is not None and mark is not None:
        text = cleaned(test.shown) if test.state != "passed" else ""
        word = STATES[test.state] + ", scored by a person" * mark.by_hand + ", to be looked at again" * mark.waits
        yield Part("test", cell.id, text=text, mark=mark, state=test.state, word=word)
    elif cell.role == "answer":
        text = cleaned(cell.source) if cell.touched else ""
        if mark is not None and mark.waits:
            state, word = "person", "waits for a person to read it"
        elif mark is not None and mark.by_hand:
            state, word = "read", "read by a person"
        else:
            state, word = ("", "not scored") if text else ("failed", "no answer")
        pictures = cell.attachments
        yield Part("answer", cell.id, text=text, attachments=pictures, mark=mark, state=state, word=word, **said)
    elif cell.role in ("solution", "added"):
        name = cell.id if cell.role == "solution" else "a cell of your own"
        source = cleaned(cell.source).rstrip()
        yield Part("code", cell.id, title=name, text=source, state="" if cell.touched else "untouched", **said)
    elif cell.role == "added-text":
        title = "a text of your own"
        yield Part("note", cell.id, title=title, text=cleaned(cell.source), attachments=cell.attachments)
    elif said["output"] or said["error"]:
        yield Part("given", cell.id, title=cell.id, **said)


def _number(value: float) -> str:
    return f"{round(value, 2):g}"


def _points(mark: Mark) -> str:
    extra = f" ({_number(mark.extra)} of them extra)" if mark.extra else ""
    got = "–" if mark.waits and not mark.points else _number(mark.points)
    return f"{got} of {_number(mark.most)}{extra}"

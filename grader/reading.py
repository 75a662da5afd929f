"""A student's file, read as far as it can be read without guessing: its cells, of any notebook format, with their texts
and the pictures in them.

Outputs, the kernel and all other metadata are looked at nowhere.
"""

import base64
import contextlib
import json
import re
from dataclasses import dataclass, field
from functools import cached_property

import nbformat
from nbgrader.utils import compute_checksum

from . import review

MOST_CELLS, MOST_TEXT = 5000, 1_000_000  # of a notebook: cells, and characters of source text in all
MOST_PICTURES, PICTURE_BYTES = 100, 10_000_000  # of a notebook, in all
PICTURES = {  # what a file of each type begins with; an SVG is a page of its own, with scripts
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
OTHER_FILES = {
    b"%PDF": "a PDF",
    b"PK": "a zip archive",
    b"\x1f\x8b": "a packed archive",
    b"<!DOCTYPE html": "a web page",
    b"<html": "a web page",
    b"{\\rtf": "a text document",
    b"version https://git-lfs": "a pointer of Git LFS",
}


class Unreadable(Exception):
    """A file that cannot be graded: in one sentence what it seems to be, and what to ask the student for."""


@dataclass(frozen=True)
class Theirs:
    """A cell of the student's.

    number: in the file, from 1. kind: "code", "markdown" or "raw". mark: its grade id. as_released: is it, by the
    checksum that it carries, as some version of the assignment had it? pictures: those pasted into a Markdown cell,
    from a name to a `data:` address.
    """

    number: int
    kind: str
    mark: str
    id: str
    source: str
    as_released: bool = False
    pictures: dict[str, str] = field(default_factory=dict)

    def __str__(self):
        return f"cell {self.number} of the file"

    @cached_property
    def words(self) -> str:
        return words(self.source)

    @cached_property
    def defines(self) -> set[str]:
        """The names of the functions that it defines."""
        return review.defined(self.source)

    @cached_property
    def binds(self) -> set[str]:
        """All names that its top level binds."""
        return {*self.defines, *review.bound(review.parse(self.source))}


def words(text: str) -> str:
    """The text without blank lines and without white space at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.split("\n") if line.strip())


def read(content: bytes) -> tuple[list[Theirs], list[str]]:
    """The cells of a notebook, and what was left out of them, each in one sentence. Raises Unreadable."""
    entries = _entries(_json(content))
    if len(entries) > MOST_CELLS:
        raise Unreadable(f"The notebook has {len(entries)} cells, {MOST_CELLS} are read; ask for one with fewer.")
    pictures, no_pictures = _pictures(entries)
    cells, left_out = [], []
    for number, entry in enumerate(entries, 1):
        source = _source(entry)
        if source is None:
            left_out.append(number)
        else:
            cells.append(_cell(number, entry, source, pictures.get(number, {})))
    size = sum(map(_length, cells))
    if size > MOST_TEXT:
        largest = max(cells, key=_length)
        raise Unreadable(
            f"The notebook's cells hold {size / 1e6:.1f} MB of text, {MOST_TEXT / 1e6:g} MB are read; the longest is "
            f"{largest}: ask for a notebook without it."
        )
    if not cells:
        raise Unreadable("The notebook has no cells; ask for the one that was worked in.")
    notes = []
    if left_out:
        notes.append(f"Left out, since they are no cells or hold no text: number {_listed(left_out)} of the file.")
    if no_pictures:
        notes.append(
            f"Left out, since they are no PNG, JPEG or GIF, or more than {MOST_PICTURES} or {PICTURE_BYTES / 1e6:g} MB "
            f"in all: pictures of cell {_listed(no_pictures)} of the file."
        )
    return cells, notes


def _listed(numbers):
    return ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")


def _json(content):
    start = content.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:40]
    if not start:
        raise Unreadable("The file is empty; ask for it again.")
    for beginning, what in OTHER_FILES.items():
        if start.lower().startswith(beginning.lower()):
            raise Unreadable(f"The file seems to be {what}, no notebook; ask for the .ipynb file itself.")
    try:
        # An int may have too many digits for Python. The bytes' encoding is told by JSON's rules.
        return json.loads(content, parse_int=float)
    except RecursionError:
        raise Unreadable("The file is nested too deep for a notebook; ask for it again.") from None
    except json.JSONDecodeError as error:
        if start[:1] not in b"{[":
            raise Unreadable("The file seems to be plain text, no notebook; ask for the .ipynb file itself.") from None
        cell = error.doc.count('"cell_type"', 0, error.pos)
        where = f"line {error.lineno}" + (f", near cell {cell}" if cell else "")
        raise Unreadable(f"The file is damaged or cut off ({error.msg}: {where}); ask for it again.") from None
    except ValueError:
        raise Unreadable("The file is no text in UTF-8 or UTF-16, so no notebook; ask for it again.") from None


def _entries(notebook):
    """The entries of all cells: of the notebook (format 4 and later) or of its worksheets (before)."""
    if not isinstance(notebook, dict):
        raise Unreadable("The file holds JSON, but no notebook; ask for the .ipynb file itself.")
    if isinstance(notebook.get("cells"), list):
        return notebook["cells"]
    sheets = notebook.get("worksheets")
    if isinstance(sheets, list):
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        return [entry for cells in lists if isinstance(cells, list) for entry in cells]
    raise Unreadable("The file holds JSON, but no list of cells, so it is no notebook; ask for the .ipynb file itself.")


def _source(entry):
    """The text of a cell; None where there is none."""
    if not isinstance(entry, dict):
        return None
    source = _text(entry.get("source", entry.get("input")))
    if source is None:
        return None
    return re.sub("[\ud800-\udfff]", "\ufffd", source).replace("\r\n", "\n").replace("\r", "\n")


def _length(cell):
    """The characters of a cell's text. Those of a picture, which Colab writes into the text, count a fourteenth."""
    pictures = re.findall(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+", cell.source) if cell.kind == "markdown" else []
    return len(cell.source) - sum(map(len, pictures)) * 13 // 14


def _text(value):
    """A text that may be written as a list of its lines; None where it is no text."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else None


def _pictures(entries):
    """The pictures of the Markdown cells, by the cells' numbers, and the numbers of cells with what was left out."""
    pictures, left_out, count, room = {}, [], 0, PICTURE_BYTES
    for number, entry in enumerate(entries, 1):
        attached = entry.get("attachments") if isinstance(entry, dict) and _kind(entry) == "markdown" else None
        if not attached:
            continue
        kept = pictures[number] = {}
        for name, bundle in attached.items() if isinstance(attached, dict) else ():
            if count == MOST_PICTURES:
                break
            kind, content = _picture(bundle, room)
            if content and len(name) <= 200 and name.isprintable():
                kept[name] = f"data:{kind};base64,{base64.b64encode(content).decode()}"
                count, room = count + 1, room - len(content)
        if not isinstance(attached, dict) or len(kept) < len(attached):
            left_out.append(number)
    return pictures, left_out


def _picture(bundle, room):
    """The type of a picture and its bytes, up to `room` of them; empty where it is none."""
    for kind, beginnings in PICTURES.items():
        text = _text(bundle.get(kind)) if isinstance(bundle, dict) else None
        if text and len(text) <= 1.5 * room:
            with contextlib.suppress(ValueError):
                content = base64.b64decode("".join(text.split()), validate=True)
                if content.startswith(beginnings) and len(content) <= room:
                    return kind, content
    return "", b""


def _kind(entry):
    kind = {"heading": "markdown", "html": "markdown"}.get(str(entry.get("cell_type")), entry.get("cell_type"))
    return kind if kind in ("code", "markdown") else "raw"


def _cell(number, entry, source, pictures):
    kind = _kind(entry)
    metadata = entry.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    mark = marks.get("grade_id") if isinstance(marks, dict) else None
    names = [name if isinstance(name, str) else "" for name in (mark, entry.get("id"))]
    return Theirs(number, kind, *names, source, _as_released(kind, marks, source), pictures)


def _as_released(kind, marks, source):
    with contextlib.suppress(Exception):  # the marks may be anything
        cell = nbformat.from_dict({"cell_type": kind, "metadata": {"nbgrader": marks}, "source": source})
        return marks["checksum"] == compute_checksum(cell)
    return False

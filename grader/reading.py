"""A student's file, read as far as it can be read without guessing: its cells, of any notebook format, and their texts.

Outputs, the kernel and all other metadata are looked at nowhere.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property

from . import review

MOST_CELLS, MOST_TEXT = 5000, 1_000_000  # of a notebook: cells, and characters of source text in all
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
    """A cell of the student's. number: in the file, from 1. kind: "code", "markdown" or "raw". mark: its grade id."""

    number: int
    kind: str
    mark: str
    id: str
    source: str

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
    cells, left_out = [], []
    for number, entry in enumerate(entries, 1):
        source = _source(entry)
        if source is None:
            left_out.append(number)
        else:
            cells.append(_cell(number, entry, source))
    size = sum(len(cell.source) for cell in cells)
    if size > MOST_TEXT:
        largest = max(cells, key=lambda cell: len(cell.source))
        raise Unreadable(
            f"The notebook's cells hold {size / 1e6:.1f} MB of text, {MOST_TEXT / 1e6:g} MB are read; the longest is "
            f"{largest}: ask for a notebook without it."
        )
    if not cells:
        raise Unreadable("The notebook has no cells; ask for the one that was worked in.")
    notes = []
    if left_out:
        which = ", ".join(map(str, left_out[:10])) + (", ..." if len(left_out) > 10 else "")
        notes.append(f"Left out, since they are no cells or hold no text: number {which} of the file.")
    return cells, notes


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
    source = entry.get("source", entry.get("input"))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    return re.sub("[\ud800-\udfff]", "\ufffd", source).replace("\r\n", "\n").replace("\r", "\n")


def _cell(number, entry, source):
    kind = {"heading": "markdown", "html": "markdown"}.get(str(entry.get("cell_type")), entry.get("cell_type"))
    metadata = entry.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    mark = marks.get("grade_id") if isinstance(marks, dict) else None
    names = [name if isinstance(name, str) else "" for name in (mark, entry.get("id"))]
    return Theirs(number, kind if kind in ("code", "markdown") else "raw", *names, source)

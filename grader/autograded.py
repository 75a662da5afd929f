"""The notebook of one graded submission, as formgrader shows it to the person who grades by hand.

It has the pristine cells with their metadata, the student's answers, and our messages as outputs, all of it text.
"""

import copy
import hashlib
import json
from pathlib import Path

import nbformat
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution

from .course import Course
from .course import write as write_file
from .outcome import Cell, Result, Test, cleaned


def write(course: Course, result: Result) -> None:
    """Write autograded/<student>/<assignment>/<assignment>.ipynb, where it is not there already.

    To be called after `gradebook.write`, which looks here for what a person has read so far.
    """
    path, text = place(course, result.student), json.dumps(notebook(course, result), indent=1) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_file(path, text)


def place(course: Course, student: str) -> Path:
    return course.folder / "autograded" / student / course.name / f"{course.name}.ipynb"


def notebook(course: Course, result: Result) -> dict:
    """The notebook as JSON. Raises KeyError for a cell that is neither pristine nor added."""
    pristine = json.loads(course.source.read_text(encoding="utf-8"))
    cells = {cell["metadata"].get("nbgrader", {}).get("grade_id") or cell["id"]: cell for cell in pristine["cells"]}
    tests = {test.id: test for test in result.tests}
    metadata = copy.deepcopy(pristine["metadata"])
    metadata.setdefault("lllcourse", {})["read"] = readings(result)
    return pristine | {
        "metadata": metadata,
        "cells": [_cell(cell, cells, tests.get(cell.id)) for cell in result.cells],
    }


def readings(result: Result) -> dict[str, str]:
    """A hash of what a person reads for each written answer, text and pictures: the answer, unless it is still the
    stub, and all that the student added as text elsewhere, since it may be a part of it.
    """
    added = [cell for cell in result.cells if cell.role == "added-text"]
    return {cell.id: _hash([cell] * cell.touched + added) for cell in result.cells if cell.role == "answer"}


def _hash(cells):
    digest = hashlib.sha256(cleaned("\n\n".join(cell.source for cell in cells)).strip().encode())
    pictures = [cell.pictures for cell in cells]
    if any(pictures):
        digest.update(json.dumps(pictures).encode())
    return digest.hexdigest()


def read(course: Course, student: str) -> dict[str, str]:
    """The `readings` of the notebook that formgrader shows at present; empty where there is none."""
    try:
        return dict(json.loads(place(course, student).read_text(encoding="utf-8"))["metadata"]["lllcourse"]["read"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _cell(cell: Cell, pristine: dict, test: Test | None) -> dict:
    if cell.role in ("added", "added-text"):
        kind, metadata, name = ("code" if cell.role == "added" else "markdown"), {}, cell.id
    else:
        ours = pristine[cell.id]
        kind, metadata, name = ours["cell_type"], copy.deepcopy(ours["metadata"]), ours["id"]
    made = {"cell_type": kind, "id": name, "metadata": metadata, "source": cleaned(cell.source)}
    if kind == "code":
        made |= {"execution_count": None, "outputs": _outputs(cell, test)}
    elif cell.pictures:
        made["attachments"] = cell.attachments
    node = nbformat.from_dict(made)
    if is_grade(node) or is_solution(node) or is_locked(node):
        metadata["nbgrader"]["cell_type"] = kind
        if is_locked(node) or not cell.touched:  # by the checksum nbgrader knows an answer that nobody touched
            metadata["nbgrader"]["checksum"] = compute_checksum(node)
    return made


def _outputs(cell: Cell, test: Test | None) -> list[dict]:
    outputs = []
    if cell.output:
        outputs.append({"output_type": "stream", "name": "stdout", "text": cleaned(cell.output)})
    if cell.error:
        outputs.append(_error("Stopped" if cell.touched else "Untouched", cleaned(cell.error)))
    if test is not None and test.state != "passed":
        outputs.append(_error(test.state.capitalize(), cleaned(test.shown)))
    return outputs


def _error(name, text):
    return {"output_type": "error", "ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}

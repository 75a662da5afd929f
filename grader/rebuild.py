"""Put a student's answers into the pristine notebook: what they handed in decides the answers, and nothing else.

Given cells, tests, points and tags are the pristine notebook's alone. What is no answer is kept, as an added cell.
"""

import itertools
from dataclasses import dataclass, field

from . import reading, review
from .assignment import Assignment
from .matching import Match
from .reading import Unreadable

__all__ = ["Step", "Submission", "Unreadable", "rebuild"]
MOST_NOTES = 200


@dataclass(frozen=True)
class Step:
    """One cell of what is to be run.

    id: of the pristine cell, or "added-1", "added-2", ... role: the pristine cell's; or "added" (code), "added-text".
    source: the student's for solutions, answers and added cells, else the pristine cell's. touched: of a solution or
    an answer, is it something else than the stub that was released? pictures: those pasted into the student's text,
    from a name to a `data:` address.
    """

    id: str
    role: str
    source: str
    points: float = 0.0
    touched: bool = True
    pictures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Submission:
    """What a student handed in, rebuilt.

    steps: every pristine cell once, in the pristine order, and the added ones at their places. notes: one sentence
    each, for the instructor's review. waiting: the ids of the answers that a person has to read.
    """

    steps: list[Step]
    notes: list[str]
    waiting: list[str]


def rebuild(pristine: Assignment, content: bytes) -> Submission:
    """The submission in a file's bytes. Raises `Unreadable`, and nothing else, for what cannot be read."""
    theirs, left_out = reading.read(content)
    match = Match(pristine, theirs)
    added = _added(match)
    steps, ids, count = [], {}, itertools.count(1)
    for k in range(len(match.cells) + 1):
        for place, n, role in added:
            if place == k:
                ids[n] = f"added-{next(count)}"
                steps.append(Step(ids[n], role, theirs[n].source, pictures=theirs[n].pictures))
        if k < len(match.cells):
            steps.append(_step(match, k))
    waiting, beside = _waiting(match, added, ids)
    code = [(step.id, step.role, step.source) for step in steps if step.touched and step.role in ("solution", "added")]
    notes = [*review.notes(pristine, code), *beside, *match.notes, *_moved(match), *left_out]
    if len(notes) > MOST_NOTES:
        notes[MOST_NOTES:] = [f"{len(notes) - MOST_NOTES} more notes were left out."]
    return Submission(steps, [note if len(note) < 400 else f"{note[:400]} ..." for note in notes], waiting)


def _step(match, k):
    """The pristine cell `k`, with what the student has in its place."""
    cell, source, pictures = match.cells[k], match.cells[k].source, {}
    if k in match.counted:
        theirs = match.theirs[match.counted[k][-1]]
        source, pictures = theirs.source, theirs.pictures
    elif k in match.elsewhere:
        source = f"# The answer stands in the cell {match.cells[match.elsewhere[k]].id}."
    elif cell.role in ("solution", "answer"):
        return Step(cell.id, cell.role, cell.stub, cell.points, touched=False)
    return Step(cell.id, cell.role, source, cell.points, pictures=pictures)


def _added(match):
    """All added cells in order, each as (the pristine cell before which it stands, which of theirs, its role)."""
    added = [
        (k, n, "added-text" if match.cells[k].role == "answer" else "added")
        for k, run in match.counted.items()
        for n in run[:-1]
    ]
    anchors, place = match.anchors, len(match.cells)
    for n in reversed(range(len(match.theirs))):
        place = anchors.get(n, place)
        if n in match.free and n not in anchors and match.theirs[n].words:
            added.append((place, n, "added" if match.theirs[n].kind == "code" else "added-text"))
    return sorted(added)


def _waiting(match, added, ids):
    """The ids of the answers that a person has to read, and a note on each that stands beside its cell."""
    waiting, notes = [], []
    anchored = sorted(match.anchors.values())
    for k, cell in enumerate(match.cells):
        if cell.role != "answer":
            continue
        if k in match.counted:
            waiting.append(cell.id)
            continue
        question = max((j for j in range(k) if match.cells[j].role == "text"), default=-1)
        later = [j for j in anchored if j > k]
        # Below the last question no other begins, and an answer may stand at the very end.
        last = all(match.cells[j].role in ("text", "demo") for j in later)
        end = len(match.cells) if last else later[0]
        texts = [n for place, n, role in added if question < place <= end and _is_text(match.theirs[n], role)]
        if texts:
            waiting.append(cell.id)
            which = ", ".join(ids[n] for n in texts[:5])
            notes.append(f"The answer {cell.id} was left as released, but a text stands beside it ({which}): read it.")
    return waiting, notes


def _is_text(cell, role):
    return role == "added-text" or review.is_prose(cell.source)


def _moved(match):
    """Notes on answers that stand in another order, and on cells that are missing."""
    order = [k for _, k in sorted(match.anchors.items()) if match.cells[k].role == "solution"]
    if order != sorted(order):
        names = ", ".join(match.cells[k].id for k in dict.fromkeys(order))
        yield f"The answers stand in another order ({names}): they run in the released one."
    if match.missing:
        yield f"Missing, and put back as released: {', '.join(match.missing)}."

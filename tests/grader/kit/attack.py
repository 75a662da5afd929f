"""An attack as data: what is handed in, and what it deserves."""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import POINTS, WRONG, after, code, filled, find, released, to_bytes
from .values import FUNCTIONS


@dataclass(frozen=True)
class Attack:
    """name: what it does. why: what it would gain.

    answers: from solution cells to their sources; the others are WRONG. first: code at the top of the first of them.
    added: cells of the student's own, (the cell that they follow, None for the top; the source). change: does something
    else to the notebook, or returns another content. earns: the points that it deserves, by test; 0 for all others.
    says: texts that must be in what the result shows of its output, so that the attack is known to have run. review: a
    note must call a person. slow: it ends by a limit alone, so it is graded with small ones.
    """

    name: str
    why: str
    answers: dict = field(default_factory=dict)
    first: str = ""
    added: tuple = ()
    change: Callable | None = None
    earns: dict = field(default_factory=dict)
    says: tuple = ()
    review: bool = False
    slow: bool = False

    def notebook(self):
        """The notebook, or the bytes that stand in its place."""
        sources = WRONG | self.answers
        sources["importance"] = f"{self.first}\n\n\n{sources['importance']}".lstrip("\n")
        notebook = filled(sources)
        for n, (place, source) in enumerate(self.added):
            after(notebook, place, code(source, f"kit-{n}"))
        changed = self.change(notebook) if self.change else None
        return notebook if changed is None else changed

    def build(self) -> bytes:
        """What is handed in."""
        return to_bytes(self.notebook())


RIGHT_BUT_TRAINING = {name: points for name, points in POINTS.items() if name != "test-training"}


def everywhere(body) -> dict:
    """All functions with this body."""
    lines = body.strip("\n").replace("\n", "\n    ")
    return {cell: f"{head}\n    like = {like}\n    {lines}" for cell, (head, like) in FUNCTIONS.items()}


def only(cell, body) -> dict:
    """One function with this body, the others left as they were released: they cost no time."""
    return {name: find(released(), name)["source"] for name in WRONG if name != cell} | {cell: everywhere(body)[cell]}

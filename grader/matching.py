"""Which cells of a student's file count for which cell of the pristine notebook.

A cell of theirs is known by nbgrader's mark, else its id, else its text, else the function that it defines. Several
may count for one answer, and none is lost: what counts for nothing is the student's own.
"""

from . import reading
from .assignment import Assignment
from .reading import Theirs


class Match:
    """Both kinds of cells by their numbers in the two lists.

    owned: of a pristine cell, theirs that carry its mark, its id or its text. free: theirs that are the student's own.
    changed: from theirs that were a given cell, a demo or a test, and have another text now, to that cell.
    counted: from a pristine cell to theirs that count for it, in their order; the last one is the answer.
    elsewhere: from a pristine cell that is answered in the text of an earlier one to that one.
    home: from theirs that are a marked solution to that solution. notes: what was repaired, one sentence each.
    """

    def __init__(self, pristine: Assignment, theirs: list[Theirs]):
        self.cells, self.theirs, self.notes = pristine.cells, theirs, []
        self.owned = [[] for _ in self.cells]
        self.free, self.changed, self.counted, self.elsewhere, self.home = set(), {}, {}, {}, {}
        self._own()
        self._given()
        self._solutions()
        self._answers()

    def _own(self):
        known, texts = {cell.id: k for k, cell in enumerate(self.cells) if cell.id}, {}
        for k in range(len(self.cells)):
            for text in self._released(k):
                texts.setdefault(text, []).append(k)
        owners = [known.get(cell.mark, known.get(cell.id)) for cell in self.theirs]
        taken = set(owners)
        for n, cell in enumerate(self.theirs):
            if owners[n] is None and cell.words in texts:  # editors strip marks and ids
                owners[n] = next((k for k in texts[cell.words] if k not in taken), texts[cell.words][0])
                taken.add(owners[n])
            if cell.mark and cell.mark not in known:
                self.notes.append(f"The mark {cell.mark[:40]!r} of {cell} is none of this assignment: it was dropped.")
            if owners[n] is None:
                self.free.add(n)
            else:
                self.owned[owners[n]].append(n)
        if not taken - {None}:
            self.notes.append("Not one cell of this assignment is in the file: it may be another assignment's.")

    def _released(self, k):
        """What the release and the source have there."""
        return {reading.words(self.cells[k].stub), reading.words(self.cells[k].source)}

    def _given(self):
        """All but answers: a copy is dropped, and so is a change; what was written into a copy or a text is kept."""
        for k, cell in enumerate(self.cells):
            if cell.role in ("solution", "answer"):
                continue
            differ = [n for n in self.owned[k] if self.theirs[n].words not in self._released(k)]
            if cell.role == "text" or len(differ) < len(self.owned[k]):
                self.free.update(differ)
            else:
                self.changed.update(dict.fromkeys(differ, k))

    def _touched(self, k):
        """Theirs with this mark that hold something else than the stub; of equal ones in a row the first."""
        found = []
        for n in self.owned[k]:
            cell, last = self.theirs[n], self.theirs[found[-1]] if found else None
            repeated = last and (cell.words, cell.pictures) == (last.words, last.pictures)
            if cell.words not in ("", reading.words(self.cells[k].stub)) and not repeated:
                found.append(n)
        return found

    def _solutions(self):
        """What defines the functions: the marked cells, else added ones, else what stands in the wrong cell."""
        marked = {k: self._touched(k) for k, cell in enumerate(self.cells) if cell.role == "solution"}
        self.home = {n: k for k, found in marked.items() for n in found}
        code, used = [n for n in sorted(self.free) if self.theirs[n].kind == "code"], {}
        for k, found in marked.items():
            missing = set(self.cells[k].functions).difference(*(self.theirs[n].binds for n in found))
            extra = []
            for pool in (code, sorted(self.changed), sorted(self.home)) if missing else ():
                extra = extra or [n for n in pool if n not in found and self.theirs[n].defines & missing]
            # What ran for an earlier answer has defined this one as well; an older version must not undo it.
            new = [] if extra and extra[-1] in used else [n for n in extra if n not in used]
            run = sorted({*found, *new})
            if run:
                self.counted[k] = run
                used.update((n, k) for n in run if self.home.get(n, k) == k)
            elif extra:
                self.elsewhere[k] = used[extra[-1]]
            self._explain(k, found, extra)
        for n, k in self.changed.items():
            # The bootstrap cell differs from release to release, and so does what was corrected since.
            if n not in used and self.cells[k].role != "bootstrap" and not self.theirs[n].as_released:
                self.notes.append(f"The {self.cells[k].role} cell {self.cells[k].id} was changed: it runs as released.")

    def _explain(self, k, found, extra):
        name = self.cells[k].id
        if len(found) > 1:
            self.notes.append(f"The mark of {name} is on {len(found)} written cells: all run, and the last one counts.")
        for n in extra:
            self.notes.append(f"The answer to {name} was taken from {self.theirs[n]}, which defines it.")
        for n in found:
            if self.theirs[n].kind != "code":
                self.notes.append(f"The cell {name} was no code cell any more: its text was taken for code.")

    def _answers(self):
        """The written answers: the touched one of several."""
        for k, cell in enumerate(self.cells):
            if cell.role == "answer" and (found := self._touched(k)):
                self.counted[k] = found
                if len(found) > 1:
                    self.notes.append(f"The answer {cell.id} was written in {len(found)} cells: read them all.")
                if self.theirs[found[-1]].kind == "code":
                    self.notes.append(f"The answer {cell.id} stood in a code cell: its text was taken for the answer.")

    @property
    def missing(self) -> list[str]:
        """The ids of the graded and given cells that the file does not have."""
        return [
            cell.id
            for k, cell in enumerate(self.cells)
            if cell.role not in ("text", "bootstrap", "demo")
            and not (self.owned[k] or k in self.counted or k in self.elsewhere)
        ]

    @property
    def anchors(self) -> dict[int, int]:
        """From those of theirs that stand for a pristine cell to that cell: so far the file has come there."""
        anchors = {n: k for k, run in self.counted.items() for n in run if self.home.get(n, k) == k}
        for k, owned in enumerate(self.owned):
            kept = [n for n in owned if n not in self.free]
            if k not in self.counted and kept:  # the original rather than a copy, which has another id
                name = self.cells[k].id
                first = min(kept, key=lambda n: (self.theirs[n].id != name, self.theirs[n].mark != name))
                anchors.setdefault(first, k)
        return anchors

"""What students hand in, put into the pristine notebook: each kind of damage is a small edit of the release."""

import base64
import copy
import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import lint, reading, rebuild, release, review

from . import harness

PRISTINE = harness.source("ewc")
RELEASE = json.loads((harness.ROOT / "assignments/ewc/ewc.ipynb").read_text(encoding="utf-8"))
STUB = PRISTINE.cell("penalty").stub
PENALTY = "def penalty(theta, importances, anchors, lam):\n    return 0.0"
FOLD = "def fold(importances, anchors):\n    return 1.0"
HELPER = "def flat(tensors):\n    return torch.cat([t.reshape(-1) for t in tensors])"
WORDS = "The penalty holds."


class Notebook(dict):
    """The release, to be edited; every method returns it."""

    def __init__(self, **sources):
        """sources: by the ids of their cells, with _ for -."""
        super().__init__(copy.deepcopy(RELEASE))
        for name, source in sources.items():
            self.edit(name.replace("_", "-"), source=source)

    def at(self, name):
        return next(n for n, cell in enumerate(self["cells"]) if cell.get("id") == name)

    def edit(self, name, **changes):
        self["cells"][self.at(name)].update(changes)
        return self

    def mark(self, name, **changes):
        self["cells"][self.at(name)]["metadata"]["nbgrader"].update(changes)
        return self

    def sign(self, name):
        """Give a cell the checksum of its text, as a release does."""
        release.renew_checksum(self["cells"][self.at(name)], "ewc")
        return self

    def put(self, before, source, kind="code", **changes):
        """A new cell before the one with this id; None is the end."""
        at = len(self["cells"]) if before is None else self.at(before)
        cell = {"cell_type": kind, "id": f"new-{len(self['cells'])}", "metadata": {}, "source": source, **changes}
        self["cells"].insert(at, cell)
        return self

    def copy(self, name, before, **changes):
        """A copy of a cell, mark and all, under another id."""
        twin = {**copy.deepcopy(self["cells"][self.at(name)]), "id": f"new-{len(self['cells'])}", **changes}
        return self.put(before, **{"kind": twin["cell_type"], "source": twin["source"], **twin})

    def delete(self, *names):
        self["cells"] = [cell for cell in self["cells"] if cell.get("id") not in names]
        return self

    def move(self, name, before):
        cell = self["cells"].pop(self.at(name))
        self["cells"].insert(len(self["cells"]) if before is None else self.at(before), cell)
        return self

    def every(self, change):
        """change: from a cell to what stands in its place."""
        self["cells"] = [change(cell) for cell in self["cells"]]
        return self


def read(handed_in):
    content = handed_in if isinstance(handed_in, bytes) else json.dumps(handed_in).encode()
    submission = rebuild.rebuild(PRISTINE, content)
    rebuilt(submission)
    return submission


def rebuilt(submission):
    """Every pristine cell is there once, in order; the student decided the answers alone."""
    theirs = [step for step in submission.steps if not step.role.startswith("added")]
    assert [(s.id, s.role, s.points) for s in theirs] == [(c.id, c.role, c.points) for c in PRISTINE.cells]
    for got, cell in zip(theirs, PRISTINE.cells, strict=True):
        assert cell.role in ("solution", "answer") or (got.source == cell.source and got.touched)
        assert got.touched or got.source == cell.stub
    assert [s.id for s in added(submission)] == [f"added-{n}" for n, _ in enumerate(added(submission), 1)]
    assert all(note.endswith(".") for note in submission.notes)
    assert set(submission.waiting) <= {cell.id for cell in PRISTINE.role("answer")}


def step(submission, name):
    return next(step for step in submission.steps if step.id == name)


def added(submission):
    return [step for step in submission.steps if step.role.startswith("added")]


def before(submission, name):
    """The texts of the added steps just before the step with this id; None is the end."""
    found = []
    for s in submission.steps:
        if s.id == name:
            return found
        found = [*found, s.source] if s.role.startswith("added") else []
    return found


def noted(submission, words):
    """Does a note hold these words? None: there is no note."""
    return not submission.notes if words is None else any(words in note for note in submission.notes)


def test_an_untouched_release_has_no_answer_and_no_note():
    submission = read(Notebook())
    assert not submission.notes and not submission.waiting and not added(submission)
    assert not any(s.touched for s in submission.steps if s.role in ("solution", "answer"))


@pytest.mark.parametrize("text", [STUB.replace("\n", "\n\n"), STUB.replace("\n", "  \n") + "\n\n", "", " \n"])
def test_white_space_alone_is_no_answer(text):
    assert not step(read(Notebook(penalty=text)), "penalty").touched


def test_the_solution_itself_has_no_note():
    submission = read((harness.ROOT / "solutions/ewc/ewc.ipynb").read_bytes())
    assert not submission.notes and not added(submission) and submission.waiting == ["interpretation"]
    assert step(submission, "penalty").source == PRISTINE.cell("penalty").source


@pytest.mark.parametrize("name", harness.alternatives("ewc"))
def test_no_right_answer_has_a_note(name):
    functions = harness.alternatives("ewc")[name]
    submission = read(Notebook(**functions))
    assert not submission.notes
    for function, text in functions.items():
        assert step(submission, function.replace("_", "-")).source == text


def no_marks(cell):
    return {key: value for key, value in cell.items() if key not in ("id", "metadata")}


GIVEN = {  # a claim: the notebook, with a right answer to `penalty`, and words of the note
    "a deleted test is put back": (lambda n: n.delete("test-penalty"), "put back as released: test-penalty."),
    "a deleted given cell is put back": (lambda n: n.delete("setup"), "setup"),
    "deleted texts and demos are put back": (lambda n: n.delete("title", "penalty-text", "sweep", "hand-in"), None),
    "an edited test does not run": (lambda n: n.edit("test-penalty", source="pass"), "test-penalty was changed"),
    "an emptied test does not run": (lambda n: n.edit("test-penalty", source=""), "test-penalty was changed"),
    "an edited given cell does not run": (lambda n: n.edit("setup", source="three_tasks = []"), "setup was changed"),
    "an edited demo does not run": (lambda n: n.edit("sweep", source="pass"), "sweep was changed"),
    "a test of an earlier release does not run": (
        lambda n: n.edit("test-penalty", source="pass").sign("test-penalty"), None),
    "a test with another mark is known by its id": (
        lambda n: n.mark("test-penalty", grade_id="mine"), "The mark 'mine' of cell"),
    "a test with neither mark nor id is known by its text": (
        lambda n: n.edit("test-penalty", id="a", metadata={}), None),
    "a test whose mark is null is known by its id": (
        lambda n: n.edit("test-penalty", metadata={"nbgrader": None}), None),
    "a copy of a test is dropped": (lambda n: n.copy("test-penalty", "remember-text"), None),
    "a copy of a given cell is dropped": (lambda n: n.copy("setup", None), None),
    "a copy that was written in is the student's own": (
        lambda n: n.copy("test-penalty", None, source="print(1)"), None),
    "points and tags in the file count for nothing": (
        lambda n: n.mark("test-penalty", points=50, solution=True).edit("setup", metadata={"tags": ["demo"]}), None),
    "a test that became a text is the released one": (
        lambda n: n.edit("test-penalty", cell_type="markdown"), None),
    "a file without marks is known by ids": (lambda n: n.every(lambda cell: {**cell, "metadata": {}}), None),
    "a file without marks and ids is known by texts and functions": (
        lambda n: n.every(no_marks), "The answer to penalty was taken from cell"),
    "metadata of wrong types are no marks": (lambda n: n.every(lambda cell: {**cell, "metadata": [1]}), None),
    "cells in reverse run in the released order": (
        lambda n: {**n, "cells": n["cells"][::-1]}, "stand in another order (best-lambda, proximal-step,"),
}  # fmt: skip


@pytest.mark.parametrize("claim", GIVEN)
def test_what_is_given_stays_as_released_and_the_answer_counts(claim):
    damage, words = GIVEN[claim]
    submission = read(damage(Notebook(penalty=PENALTY)))
    assert step(submission, "penalty").source == PENALTY and noted(submission, words), submission.notes
    assert [s.id for s in submission.steps if s.role == "solution" and s.touched] == ["penalty"]
    assert len(added(submission)) == ("student's own" in claim)


BOTH = f"{PENALTY}\n\n\n{FOLD}"
ANSWERS = {  # a claim: the notebook, the text of the step penalty, the added ones just before it, words of a note
    "a marked cell is the answer": (Notebook(penalty=PENALTY), PENALTY, [], None),
    "an id is as good as a mark": (Notebook(penalty=PENALTY).edit("penalty", metadata={}), PENALTY, [], None),
    "the mark goes before the id": (
        Notebook().edit("penalty", id="x", source=PENALTY).edit("remember", id="penalty"), PENALTY, [], None),
    "a cell without mark and id is known by its function": (
        Notebook(penalty=PENALTY).edit("penalty", id="x", metadata={}), PENALTY, [], "was taken from cell"),
    "so is one that does not parse": (
        Notebook().delete("penalty").put("test-penalty", PENALTY + ")"), PENALTY + ")", [], "which defines it"),
    "so is one with a magic": (
        Notebook().put("test-penalty", f"%time\n{PENALTY}"), f"%time\n{PENALTY}", [], "which defines it"),
    "so is one under a cell magic": (
        Notebook().put("test-penalty", f"%%time\n{PENALTY}"), f"%%time\n{PENALTY}", [], "which defines it"),
    "so is a lambda": (
        Notebook().put("test-penalty", "penalty = lambda p, i, a, l: 0"), "penalty = lambda p, i, a, l: 0", [],
        "which defines it"),
    "an untouched copy below drops out": (
        Notebook(penalty=PENALTY).copy("penalty", "test-penalty", source=STUB), PENALTY, [], None),
    "an untouched original above drops out": (
        Notebook().copy("penalty", "test-penalty", source=PENALTY), PENALTY, [], None),
    "equal copies count once": (Notebook(penalty=PENALTY).copy("penalty", None), PENALTY, [], None),
    "of two touched ones the last counts": (
        Notebook(penalty="penalty = len").copy("penalty", "test-penalty", source=PENALTY), PENALTY, ["penalty = len"],
        "on 2 written cells"),
    "a touched cell beside the stub counts": (
        Notebook().put("test-penalty", PENALTY), PENALTY, [], "The answer to penalty was taken from cell"),
    "a touched cell before the stub counts": (Notebook().put("title", PENALTY), PENALTY, [], "taken from cell"),
    "a touched cell at the end counts": (Notebook().put(None, PENALTY), PENALTY, [], "taken from cell"),
    "beside a marked answer another one is an added cell": (
        Notebook(penalty=PENALTY).put("test-remember", "penalty = max"), PENALTY, [], "binds 'penalty'"),
    "split, the first half marked: the helper runs before": (
        Notebook(penalty=HELPER).put("gradient-of-penalty", PENALTY), PENALTY, [HELPER], "was taken from cell"),
    "split, both halves marked: the helper runs before": (
        Notebook(penalty=HELPER).copy("penalty", "gradient-of-penalty", source=PENALTY), PENALTY, [HELPER],
        "on 2 written cells"),
    "split, the second half marked: the helper runs before": (
        Notebook(penalty=PENALTY).put("penalty", HELPER), PENALTY, [HELPER], None),
    "split in three, with a helper between": (
        Notebook(penalty="half = 0.5").put("gradient-of-penalty", HELPER).put("gradient-of-penalty", PENALTY), PENALTY,
        ["half = 0.5", HELPER], "was taken from cell"),
    "an answer in a test's cell counts": (
        Notebook(test_penalty=PENALTY), PENALTY, [], "The answer to penalty was taken from cell"),
    "an answer in a demo's cell counts": (
        Notebook(sweep=PENALTY), PENALTY, [], "The answer to penalty was taken from cell"),
    "a changed test's cell does not count beside an answer": (
        Notebook(penalty=PENALTY, test_penalty="penalty = 1"), PENALTY, [], "test-penalty was changed"),
    "two answers in the earlier cell": (
        Notebook(penalty=BOTH), BOTH, [], "The answer to fold was taken from cell"),
    "two answers in the later cell": (
        Notebook(fold=BOTH), BOTH, [], "The answer to penalty was taken from cell"),
    "two answers in an added cell": (Notebook().put(None, BOTH), BOTH, [], "The answer to fold was taken from"),
    "a solution that became Markdown is taken by its text": (
        Notebook(penalty=PENALTY).edit("penalty", cell_type="markdown"), PENALTY, [], "no code cell any more"),
    "a solution of no type is taken by its text": (
        Notebook(penalty=PENALTY).edit("penalty", cell_type=None), PENALTY, [], "no code cell any more"),
    "a deleted answer is none": (Notebook().delete("penalty"), STUB, [], "put back as released: penalty."),
}  # fmt: skip


@pytest.mark.parametrize("claim", ANSWERS)
def test_an_answer_is_found_where_it_stands(claim):
    handed_in, source, earlier, words = ANSWERS[claim]
    submission = read(handed_in)
    assert step(submission, "penalty").source == source and before(submission, "penalty") == earlier
    assert step(submission, "penalty").touched == (source != STUB)
    assert noted(submission, words), submission.notes
    texts = [cell["source"] for cell in handed_in["cells"]]
    own = {text for text in texts if isinstance(text, str) and text not in ("pass", "penalty = 1", STUB)}
    assert own <= {s.source for s in submission.steps}, "something of the student's is lost"


def test_what_one_cell_answers_twice_runs_before_both():
    """An answer in an earlier cell is pointed at; one in a later cell runs in both places."""
    earlier, later = read(Notebook(penalty=BOTH)), read(Notebook(fold=BOTH))
    assert step(earlier, "fold").source == "# The answer stands in the cell penalty."
    assert step(earlier, "fold").touched
    assert step(later, "penalty").source == step(later, "fold").source == BOTH


def test_an_older_version_does_not_undo_a_newer_one():
    """Two answers in one added cell, below an earlier try at the second: as in a kernel, the newer one stands."""
    older = FOLD.replace("1.0", "2.0")
    submission = read(Notebook().put("importance", older).put("importance", BOTH))
    assert before(submission, "penalty") == [older] and step(submission, "penalty").source == BOTH
    assert step(submission, "fold").source == "# The answer stands in the cell penalty."


ADDED = {  # a claim: the notebook, the id of the step before which the added texts stand, those texts, words of a note
    "a cell runs before the next one": (Notebook().put("test-penalty", HELPER), "test-penalty", [HELPER], None),
    "also where this is a text": (Notebook().put("remember-text", HELPER), "remember-text", [HELPER], None),
    "two keep their order": (
        Notebook().put("penalty", "a = 1").put("penalty", "b = 2"), "penalty", ["a = 1", "b = 2"], None),
    "at the end it runs at the end": (Notebook().put(None, HELPER), None, [HELPER], None),
    "an empty one is dropped": (Notebook().put("penalty", " \n"), "penalty", [], None),
    "one that looks like a demo runs": (
        Notebook().put("hand-in", "import matplotlib.pyplot as plt\nplt.plot([1])"), "hand-in",
        ["import matplotlib.pyplot as plt\nplt.plot([1])"], None),
    "before a deleted cell it runs before what follows": (
        Notebook().put("penalty", HELPER).delete("penalty"), "gradient-of-penalty", [HELPER], "put back"),
    "before a moved cell it moves along": (
        Notebook(best_lambda="best_lambda = min").move("best-lambda", "penalty").put("best-lambda", HELPER),
        "best-lambda", [HELPER], "another order (importance, output-importance, common-top, best-lambda, penalty,"),
    "a copy of a given cell moves nothing": (
        Notebook().put("hand-in", HELPER).copy("setup", "hand-in"), "hand-in", [HELPER], None),
    "nor does one above the original": (
        Notebook().put("importance", HELPER).copy("sweep", "importance", metadata={}), "importance", [HELPER], None),
    "a cell of another course's is an added one": (
        Notebook().put("penalty", HELPER, metadata={"nbgrader": {"grade_id": "q7", "grade": True, "points": 9}}),
        "penalty", [HELPER], "none of this assignment"),
    "a text is kept as a text": (Notebook().put("penalty", WORDS, "markdown"), "penalty", [WORDS], None),
    "so is a raw cell": (Notebook().put("penalty", WORDS, "raw"), "penalty", [WORDS], None),
    "a text that was edited stands beside the released one": (
        Notebook(penalty_text=WORDS), "penalty", [WORDS], None),
    "a text that became code is an added cell": (
        Notebook(penalty_text=HELPER).edit("penalty-text", cell_type="code"), "penalty", [HELPER], None),
}  # fmt: skip


@pytest.mark.parametrize("claim", ADDED)
def test_an_added_cell_stands_before_the_pristine_cell_that_follows(claim):
    handed_in, name, texts, words = ADDED[claim]
    submission = read(handed_in)
    assert before(submission, name) == texts and len(added(submission)) == len(texts)
    assert {s.role for s in added(submission)} <= {"added-text" if WORDS in texts else "added"}
    assert noted(submission, words), submission.notes


WRITTEN = {  # a claim: the notebook, the text of the answer (None: untouched), does it wait, the added texts
    "an answer waits": (Notebook(interpretation=WORDS), WORDS, True, []),
    "a touched one counts beside its stub": (
        Notebook().copy("interpretation", "hand-in", source=WORDS), WORDS, True, []),
    "a touched one counts before its stub": (
        Notebook().copy("interpretation", "interpretation", source=WORDS), WORDS, True, []),
    "two touched ones are both kept": (
        Notebook(interpretation=WORDS).copy("interpretation", "hand-in", source="More."), "More.", True, [WORDS]),
    "a text below the stub waits": (Notebook().put("hand-in", WORDS, "markdown"), None, True, [WORDS]),
    "a text above the stub waits": (Notebook().put("interpretation", WORDS, "markdown"), None, True, [WORDS]),
    "a text at the very end waits": (Notebook().put(None, WORDS, "markdown"), None, True, [WORDS]),
    "a text beside a deleted stub waits": (
        Notebook().delete("interpretation").put("hand-in", WORDS, "markdown"), None, True, [WORDS]),
    "a text in the question waits": (Notebook(interpretation_text=WORDS), None, True, [WORDS]),
    "a text in an added code cell waits": (Notebook().put("hand-in", WORDS), None, True, [WORDS]),
    "comments in an added code cell wait": (Notebook().put("hand-in", f"# {WORDS}"), None, True, [f"# {WORDS}"]),
    "code beside the stub does not wait": (Notebook().put("hand-in", "print(runs)"), None, False, ["print(runs)"]),
    "a text at another question does not wait": (Notebook().put("sweep-text", WORDS, "markdown"), None, False, [WORDS]),
    "an empty answer is none": (Notebook(interpretation=""), None, False, []),
    "an answer in a code cell is taken by its text": (
        Notebook(interpretation=WORDS).edit("interpretation", cell_type="code"), WORDS, True, []),
    "an answer without a mark waits beside the stub": (
        Notebook(interpretation=WORDS).edit("interpretation", id="x", metadata={}), None, True, [WORDS]),
}  # fmt: skip


@pytest.mark.parametrize("claim", WRITTEN)
def test_a_written_answer_is_never_lost(claim):
    handed_in, text, waits, texts = WRITTEN[claim]
    submission = read(handed_in)
    got = step(submission, "interpretation")
    assert (got.touched, got.source) == ((True, text) if text else (False, "YOUR ANSWER HERE"))
    assert submission.waiting == ["interpretation"] * waits
    assert [s.source for s in added(submission)] == texts
    plain = text and not texts and handed_in["cells"][handed_in.at("interpretation")]["cell_type"] == "markdown"
    assert bool(submission.notes) == (waits and not plain)


BEGINNINGS = {
    "image/png": [b"\x89PNG\r\n\x1a\n"],
    "image/jpeg": [b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1"],
    "image/gif": [b"GIF87a", b"GIF89a"],
}
LINK = "![image.png](attachment:image.png)"


def coded(content):
    return base64.b64encode(content).decode()


def picture(content=b"", kind="image/png"):
    """A picture as a notebook holds it."""
    return {kind: coded(BEGINNINGS[kind][0] + content)}


def address(content=b""):
    return f"data:image/png;base64,{picture(content)['image/png']}"


def attached(pictures, text=LINK):
    return Notebook().edit("interpretation", source=text, attachments=pictures)


@pytest.mark.parametrize(("kind", "beginning"), [(kind, start) for kind in BEGINNINGS for start in BEGINNINGS[kind]])
def test_a_picture_stays_in_a_written_answer_and_is_one_alone(kind, beginning):
    text = coded(beginning + bytes(range(256)))
    for written in (text, [text], [f"{text[:76]}\n", text[76:]], f"{text[:8]}\r\n{text[8:]}\n"):
        submission = read(attached({"image.png": {kind: written}}))
        assert step(submission, "interpretation").touched and submission.waiting == ["interpretation"]
        assert step(submission, "interpretation").pictures == {"image.png": f"data:{kind};base64,{text}"}
        assert not submission.notes


def test_each_text_keeps_its_own_pictures():
    """JupyterLab and others call every pasted picture image.png, so that two answers may have one text."""
    notebook = attached({"image.png": picture(b"2")})
    notebook.copy("interpretation", "interpretation", attachments={"image.png": picture(b"1")})
    notebook.put("sweep-text", LINK, "markdown", attachments={"image.png": picture(b"0")})
    notebook.edit("penalty-text", source=LINK, attachments={"image.png": picture(b"3")})
    submission = read(notebook)
    assert {s.id: s.pictures for s in submission.steps if s.pictures} == {
        "added-1": {"image.png": address(b"3")},
        "added-2": {"image.png": address(b"0")},
        "added-3": {"image.png": address(b"1")},
        "interpretation": {"image.png": address(b"2")},
    }
    assert noted(submission, "was written in 2 cells")


def test_an_equal_copy_of_an_answer_with_a_picture_counts_once():
    submission = read(attached({"image.png": picture()}).copy("interpretation", None))
    assert not added(submission) and not submission.notes


def test_neither_code_nor_a_given_text_has_pictures():
    pasted = {"image.png": picture()}
    notebook = Notebook().put("remember", HELPER, attachments=pasted).edit("title", attachments=pasted)
    notebook.edit("interpretation", source=WORDS, cell_type="code", attachments=pasted)
    submission = read(notebook)
    assert not any(s.pictures for s in submission.steps) and not noted(submission, "pictures")


def nested(depth):
    return {"image/png": json.loads("[" * depth + "]" * depth)}


NO_PICTURES = {
    "a list": ["image.png"],
    "a number": 3,
    "a text": "image.png",
    "a list for the picture": {"image.png": [picture()]},
    "nothing for the picture": {"image.png": None},
    "no type": {"image.png": {}},
    "a number for its bytes": {"image.png": {"image/png": 3}},
    "lists in lists for its bytes": {"image.png": nested(400)},
    "an SVG": {"image.png": {"image/svg+xml": coded(b"<svg onload='steal()'/>")}},
    "an SVG named PNG": {"image.png": {"image/png": coded(b"<svg onload='steal()'/>")}},
    "a page named PNG": {"image.png": {"image/png": coded(b"<script>steal()</script>")}},
    "a JPEG named PNG": {"image.png": {"image/png": picture(kind="image/jpeg")["image/jpeg"]}},
    "no base64": {"image.png": {"image/png": picture()["image/png"] + '" onerror="steal()'}},
    "letters of no alphabet": {"image.png": {"image/png": "iVBORw0KGgo\ud800é"}},
    "base64 that was cut": {"image.png": {"image/png": picture()["image/png"][:-1]}},
    "a long name": {"a" * 201: picture()},
    "a name that ends the line": {"image\n.png": picture()},
    "half a character for a name": {"\ud83d": picture()},
}


@pytest.mark.parametrize("kind", NO_PICTURES)
def test_what_is_no_picture_is_left_out_with_a_note(kind):
    submission = read(attached(NO_PICTURES[kind]))
    assert not step(submission, "interpretation").pictures and submission.waiting == ["interpretation"]
    number = Notebook().at("interpretation") + 1
    assert len(submission.notes) == 1 and noted(submission, f"pictures of cell {number} of the file.")


def test_beside_what_is_no_picture_the_others_stay():
    submission = read(attached({"b.svg": {"image/svg+xml": coded(b"<svg/>")}, "image.png": picture()}))
    assert step(submission, "interpretation").pictures == {"image.png": address()}
    assert noted(submission, "no PNG, JPEG or GIF")


@pytest.mark.parametrize("nothing", [None, {}, []])
def test_no_picture_needs_no_note(nothing):
    assert not read(attached(nothing, WORDS)).notes


def test_too_much_is_left_out_and_what_has_room_stays():
    half = bytes(reading.PICTURE_BYTES // 2)
    pictures = {"a": picture(half), "huge": picture(bytes(50_000_000)), "b": picture(half), "c": picture()}
    submission = read(attached(pictures).put(None, LINK, "markdown", attachments={"d": picture(half)}))
    assert list(step(submission, "interpretation").pictures) == ["a", "c"] and not added(submission)[0].pictures
    number = Notebook().at("interpretation") + 1
    assert noted(submission, f"or 10 MB in all: pictures of cell {number}, {len(RELEASE['cells']) + 1} of the file.")


def test_a_picture_that_colab_wrote_into_the_text_counts_as_one():
    text = "![shot](data:image/png;base64,{})"
    assert step(read(Notebook(interpretation=text.format("A" * 5_000_000))), "interpretation").touched
    with pytest.raises(rebuild.Unreadable, match="the longest is cell"):
        read(Notebook(interpretation=text.format("A" * 20_000_000)))


def test_a_hundred_pictures_are_read():
    submission = read(attached({str(n): picture() for n in range(reading.MOST_PICTURES + 1)}))
    assert len(step(submission, "interpretation").pictures) == 100 and noted(submission, "more than 100")


def lines(cell):
    return {**cell, "source": "".join(cell["source"]).splitlines(keepends=True)}


def old(notebook):
    """The notebook in format 3."""
    cells = [{"input" if c["cell_type"] == "code" else "source": c["source"], **c} for c in notebook["cells"]]
    for cell in cells:
        if cell["cell_type"] == "code":
            del cell["source"]
    return {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": cells[:5]}, {"cells": cells[5:]}, None]}


PLAIN = Notebook(penalty=PENALTY)
TEXT = json.dumps(PLAIN)
READABLE = {
    "as it is": TEXT.encode(),
    "a byte-order mark": TEXT.encode("utf-8-sig"),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16, big end first": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "Windows line ends in the file": json.dumps(PLAIN, indent=1).replace("\n", "\r\n").encode(),
    "Windows line ends in the cells": TEXT.replace("\\n", "\\r\\n").encode(),
    "a list of lines": json.dumps(Notebook(penalty=PENALTY).every(lines)).encode(),
    "format 3": json.dumps(old(PLAIN)).encode(),
    "format 5": json.dumps({**PLAIN, "nbformat": 5}).encode(),
    "no format": json.dumps({"cells": PLAIN["cells"]}).encode(),
    "equal ids": json.dumps(Notebook(penalty=PENALTY).every(lambda cell: {**cell, "id": "same"})).encode(),
    "another kernel": json.dumps({**PLAIN, "metadata": {"kernelspec": {"name": "xeus-r", "language": "R"}}}).encode(),
    "metadata null": json.dumps({**PLAIN, "metadata": None}).encode(),
    "not a number": json.dumps({**PLAIN, "metadata": {"a": float("nan"), "b": [float("inf")]}}).encode(),
    "a number of 5,000 digits": TEXT.replace('"nbformat": 4', '"nbformat": ' + "9" * 5000).encode(),
    "outputs of some MB": json.dumps(Notebook(penalty=PENALTY).edit("sweep", outputs=["x" * 3_000_000])).encode(),
}


@pytest.mark.parametrize("kind", READABLE)
def test_a_file_is_read_where_it_needs_no_guess(kind):
    submission = read(READABLE[kind])
    assert step(submission, "penalty").source == PENALTY and not added(submission)
    assert not submission.notes or kind == "equal ids"


def test_a_note_says_where_in_the_file_something_stands():
    handed_in = Notebook().put(None, PENALTY)
    assert noted(read(handed_in), f"taken from cell {len(handed_in['cells'])} of the file, which defines it.")


def test_half_an_emoji_becomes_a_mark():
    submission = read(TEXT.replace("return 0.0", "return '\\ud83d'").encode())
    assert step(submission, "penalty").source == PENALTY.replace("0.0", "'\ufffd'")


@pytest.mark.parametrize("cell", [None, 3, "text", [], {}, {"source": 3}, {"source": ["a", None], "id": "penalty"}])
def test_what_is_no_cell_is_left_out_with_a_note(cell):
    handed_in = Notebook(remember="remember = list")
    at = handed_in.at("penalty")
    handed_in["cells"][at] = cell
    submission = read(handed_in)
    assert noted(submission, f"no cells or hold no text: number {at + 1} of the file") and noted(submission, "put back")
    assert step(submission, "remember").touched and not step(submission, "penalty").touched


UNREADABLE = {
    "nothing": (b"", "is empty"),
    "a byte-order mark alone": (b"\xff\xfe", "is empty"),
    "zeros": (bytes(100), "is empty"),
    "a PDF": (b"%PDF-1.7 ...", "seems to be a PDF"),
    "a zip": (b"PK\x03\x04", "seems to be a zip archive"),
    "a page": (b"\n<!doctype HTML><html>", "seems to be a web page"),
    "a script": (b"import torch\n\nx = {}", "plain text"),
    "a list": (b"[1, 2]", "JSON, but no notebook"),
    "a number": (b"NaN", "JSON, but no notebook"),
    "null": (b"null", "JSON, but no notebook"),
    "no cells": (b"{}", "no list of cells"),
    "cells of a wrong type": (b'{"cells": {"0": {}}}', "no list of cells"),
    "an empty list of cells": (b'{"cells": []}', "has no cells"),
    "no worksheet": (b'{"worksheets": [3, {"cells": 3}]}', "has no cells"),
    "cut off": (TEXT[:9000].encode(), "near cell"),
    "a binary": (b"{\x80\x81", "no text in UTF-8"),
    "deep lists": (b"[" * 100_000, "too deep"),
    "a deep cell": (TEXT.replace('"nbformat"', f'"a": {"[" * 100_000}{"]" * 100_000}, "b"', 1).encode(), "too deep"),
    "6,000 cells": (json.dumps(Notebook().every(dict) | {"cells": [{}] * 6000}).encode(), "6000 cells"),
    "a cell of 2 MB": (json.dumps(Notebook(penalty="#" * 2_000_000)).encode(), "the longest is cell"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_named_in_one_sentence(kind):
    content, words = UNREADABLE[kind]
    with pytest.raises(rebuild.Unreadable, match=words) as error:
        rebuild.rebuild(PRISTINE, content)
    assert "ask for" in str(error.value) and str(error.value).endswith(".") and len(str(error.value)) < 250


def test_a_notebook_of_another_assignment_is_said_to_be_one():
    assert noted(read({"cells": [{"cell_type": "code", "source": "x = 1"}]}), "Not one cell of this assignment")


LOOKS = {
    "three_tasks = permuted(3, seed=2)": "binds 'three_tasks', which the given cell setup defines",
    "for tiny in (1, 2):\n    pass": "binds 'tiny'",
    "def change():\n    global tiny\n    tiny = 1": "binds 'tiny'",
    "def gradient_of_penalty(*_):\n    return []": "which the given cell gradient-of-penalty defines",
    "from copy import copy as deepcopy": "'deepcopy', which the given cell setup defines otherwise",
    "importance = 3": "binds 'importance', the name of an answer",
    "torch.allclose = lambda *_: True": "changes torch.allclose",
    "import torch as t\nt.nn.functional.relu = abs": "changes torch.nn.functional.relu",
    "def f():\n    F.cross_entropy += 1": "changes torch.nn.functional.cross_entropy",
    "del check.close": "changes lllcourse.grading.check.close",
    "setattr(torch, 'allclose', 1)": "changes torch by setattr",
    "torch.__dict__['allclose'] = 1": "changes torch.__dict__",
    "import sys\nsys.modules['torch'] = 1": "sys.modules",
    "from sys import modules": "sys.modules",
    "import grader": "imports the grader",
    "from grader.lint import OPEN": "imports the grader",
    "from lllcourse.lifelong import ewc": "imports lllcourse.lifelong.ewc, which no answer may use",
    "from lllcourse import compare": "lllcourse.compare",
    "import lllcourse\nlllcourse.results": "lllcourse.results",
    "from lllcourse.grading import reference": "lllcourse.grading.reference",
    "import os\nos.fork()": "os.fork",
    "from os import _exit as leave": "os._exit",
    "import ctypes": "ctypes",
    "import subprocess as s": "subprocess",
    "import socket": "socket",
    "import gc\n[o for o in gc.get_objects()]": "gc.get_objects",
    "import sys\nsys._getframe(1).f_back": "sys._getframe",
    "import inspect\ninspect.currentframe()": "inspect.currentframe",
    "def f(e):\n    return e.__traceback__.tb_frame": "uses tb_frame",
    "__import__('os')": "uses __import__",
    "%time torch.allclose = 1\nimport ctypes": "ctypes",
    "!cat /etc/passwd": "runs a command of the shell",
    "%%bash\ncat /etc/passwd": "runs the magic %%bash",
    "x = 1\n" * 10_000: "too many to look at",
}


@pytest.mark.parametrize("text", LOOKS, ids=lambda text: text[:30])
def test_what_a_person_should_look_at_is_noted(text):
    submission = read(Notebook().put("penalty", text))
    assert added(submission)[0].source == text
    assert noted(submission, LOOKS[text]) and submission.notes[0].startswith("The cell added-1 "), submission.notes


@pytest.mark.parametrize(
    "text",
    [
        "import torch\nimport copy\nfrom torch.nn import functional as F",
        "import numpy as np\nnp.random.seed(0)",
        "from lllcourse import scale, figures\nfrom lllcourse.grading.check import close",
        "model = MLP(2, 2, seed=0)\nmodel.lr = 3\nmodel.training = False",
        "def f(three_tasks):\n    permuted = 3\n    return [F for F in three_tasks]",
        "!pip install torch\n%matplotlib inline",
        "%%time\nprint(sum(range(3)))",
        "print('\\d')",
        "import inspect\ninspect.signature(penalty)",
        "import os\nos.cpu_count()",
        "not Python at all",
    ],
)
def test_an_honest_cell_is_not_noted(text):
    assert not read(Notebook().put("penalty", text)).notes


def test_a_withheld_module_is_noted():
    steps = [("penalty", "solution", "from lllcourse import metrics")]
    assert not review.notes(PRISTINE, steps)
    assert "lllcourse.metrics" in review.notes(dataclasses.replace(PRISTINE, withheld=["metrics"]), steps)[0]


def test_what_the_lint_allows_the_review_allows():
    assert lint.OPEN <= review.MODULES | {"digits", "device"}


@pytest.mark.parametrize("text", ["(" * 9000, "-" * 9000 + "1", "1+" * 9000 + "1", "a" + ".b" * 9000, "\0", "9" * 9000])
def test_no_text_stops_the_review(text):
    assert added(read(Notebook().put("penalty", f"x = {text}")))


def test_notes_are_few_and_short():
    handed_in = Notebook().every(lambda cell: {**cell, "metadata": {"nbgrader": {"grade_id": "x" * 999}}})
    handed_in["cells"] = handed_in["cells"] * 9
    submission = read(handed_in)
    assert len(submission.notes) == rebuild.MOST_NOTES + 1 and max(map(len, submission.notes)) < 410


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from(["penalty", "test-penalty", "interpretation", "code", "markdown", PENALTY, STUB, "\ud800", "\0"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "source", "nbgrader", "grade_id", "cells"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def places(tree):
    """Every (container, key) in a JSON tree."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], (dict, list)):
            yield from places(tree[key])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["set", "delete", "twice"]), VALUES), max_size=6))
def test_no_damage_to_the_tree_raises_anything_else(damage):
    tree = Notebook(penalty=PENALTY)
    for number, how, value in damage:
        found = list(places(tree))
        if not found:
            break
        container, key = found[number % len(found)]
        if how == "set":
            container[key] = value
        elif how == "delete":
            del container[key]
        elif isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
    harmless(json.dumps(tree).encode())


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=4), st.lists(st.integers(0, len(TEXT)), min_size=1, max_size=4), st.booleans())
def test_no_damage_to_the_bytes_raises_anything_else(new, at, cut):
    content = bytearray(TEXT.encode())
    for place in at:
        content[place : place + len(new)] = new
    harmless(bytes(content[: at[0]] if cut else content))


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_raise_anything_else(content):
    harmless(content)


def harmless(content):
    try:
        read(content)
    except rebuild.Unreadable as why:
        assert "ask for" in str(why)


def test_outputs_are_never_kept():
    cells, _ = reading.read(READABLE["outputs of some MB"])
    assert "x" * 1000 not in repr(cells)

"""Folders of students as they come from learning platforms and from people."""

from . import released, solved, to_bytes

NOTEBOOK = to_bytes(solved())
EMPTY = to_bytes(released())
DATES = {  # timestamp.txt, and whether a date can be read from it without guessing
    "with a byte-order mark": (b"\xef\xbb\xbf2026-11-03 10:00:00 UTC", True),
    "in UTF-16": ("2026-11-03 10:00:00 UTC".encode("utf-16"), False),
    "in words": (b"yesterday evening", False),
    "in German": (b"03.11.2026 10:00", False),
    "with a zone's letters": (b"2026-11-03 10:00:00 CET", False),
    "in ISO": (b"2026-11-03T10:00:00+01:00\n", True),
    "empty": (b"", False),
    "bytes": (bytes(range(256)), False),
}
NAMES = (
    "Łukasz Żółć", "李小龍", "علي", "o'brien", "a [b]", "what?", " leading", "trailing ", "-rf", "$(touch x)", "a;b",
    "x" * 200, "Ada_Lovelace_123", "a\nb", "%s{}", "<b>x", "=1+1",
)  # fmt: skip
# Each: the files of one student, below the student's folder, and words that must be said of what was not graded.
FOLDERS = {
    "a notebook one folder too high": ({"ewc.ipynb": NOTEBOOK}, "ewc.ipynb"),
    "a folder of other case": ({"EWC/ewc.ipynb": NOTEBOOK}, "EWC"),
    "a notebook of other case": ({"ewc/EWC.ipynb": NOTEBOOK}, "EWC.ipynb"),
    "a name with -1": ({"ewc/ewc-1.ipynb": NOTEBOOK}, "ewc-1.ipynb"),
    "a name with -Copy1": ({"ewc/ewc-Copy1.ipynb": NOTEBOOK}, "ewc-Copy1.ipynb"),
    "two notebooks, the named one empty": (
        {"ewc/ewc.ipynb": EMPTY, "ewc/ewc-Copy1.ipynb": NOTEBOOK},
        "ewc-Copy1.ipynb",
    ),
    "no notebook": ({"ewc/notes.txt": b"x"}, "ewc.ipynb is missing"),
    "an empty folder of the assignment and the notebook above": (
        {"ewc/.keep": b"", "ewc.ipynb": NOTEBOOK},
        "ewc.ipynb",
    ),
}
# What lies in submitted/ besides; nobody of it is a student.
LITTER = {
    "notes.txt": b"x", ".DS_Store": b"x", "__MACOSX/ewc/._ewc.ipynb": b"x", ".hidden/ewc/ewc.ipynb": NOTEBOOK,
    "tidy/ewc/.ipynb_checkpoints/ewc-checkpoint.ipynb": EMPTY, "tidy/ewc/torch.py": b"raise SystemExit",
    "tidy/ewc/ewc.ipynb": NOTEBOOK,
}  # fmt: skip

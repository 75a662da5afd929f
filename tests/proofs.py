"""Proofs: tests that are too long for `make test`, marked `@pytest.mark.prove`.

`make prove` runs them and notes in `proofs.json` on what code each of them passed; `make test` fails where that code
has changed since. That code is the file of the test and what it imports, or what the mark names: `prove(on=...)`, a
function that gives a hash.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from tools.imports import NUMERIC, Repository

ROOT = Path(__file__).parents[1]
RECORD = Path(__file__).with_name("proofs.json")
# Of all assignments: what one of them rests on, `grader.harness.rests_on` names.
METRICS = ROOT / "lllcourse/grading/reference_metrics.json"


@cache
def repository():
    return Repository(ROOT)


@cache
def rests_on(path, *texts):
    """A hash of the code that a file of the repository imports, of the versions of the libraries that compute in it,
    and of these texts; without comments and prose.
    """
    needs, digest = repository().needs(ROOT / path), hashlib.sha256()
    for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines():
        if line.split("==")[0] in needs.libraries & NUMERIC:
            digest.update(f"{line}\n".encode())
    for file in sorted(needs.files - {RECORD, METRICS}):
        digest.update(f"{file.relative_to(ROOT).as_posix()}\n".encode() + repository().hash(file, False))
    for text in texts:
        digest.update(f"\n{text}".encode())
    return digest.hexdigest()[:16]


def files(*paths):
    """`on` for a proof of what these files say, paths from the root of the repository."""

    def on():
        digest = hashlib.sha256()
        for path in (ROOT / path for path in paths):
            digest.update(path.read_bytes() if path.is_file() else b"not made yet")
        return digest.hexdigest()[:16]

    return on


def records(*names):
    """`on` for a slice of these records, who know the code that made them."""
    return files(*(f"lllcourse/results/{name}.json" for name in names))


def is_one(item):
    return item.get_closest_marker("prove") is not None


def name(item):
    return item.nodeid.removeprefix("tests/")


def code(item):
    """The hash of what the proof `item` rests on now: what its mark names, or its file with what that imports."""
    on = item.get_closest_marker("prove").kwargs.get("on")
    return on() if on else rests_on(item.path.relative_to(ROOT), repository().hash(item.path, False).hex())


def recorded():
    return json.loads(RECORD.read_text("utf-8")) if RECORD.is_file() else {}


def is_stale(item):
    return recorded().get(name(item)) != code(item)


def write(passed):
    """Note what has passed, {name: hash}, beside what others have."""
    known = recorded() | passed
    RECORD.write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")

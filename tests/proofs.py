"""Proofs: tests that are too long for `make test`. `make prove` runs those marked `prove` and notes in `proofs.json` on
what code each of them passed; a test that `make test` runs fails where that code has changed since.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from tools.imports import Repository

ROOT = Path(__file__).parents[1]
RECORD = Path(__file__).with_name("proofs.json")


@cache
def repository():
    return Repository(ROOT)


def rests_on(path, *texts):
    """A hash of the code that a file of the repository imports, of the locked versions and of these texts; without
    comments and prose.
    """
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    files = repository().needs(ROOT / path).files - {RECORD}  # which the tests name
    for file in sorted(files):
        digest.update(f"{file.relative_to(ROOT).as_posix()}\n".encode() + repository().hash(file, False))
    for text in texts:
        digest.update(f"\n{text}".encode())
    return digest.hexdigest()[:16]


def of(file):
    """A hash of a file of tests, its `__file__`, and of the code that it imports."""
    path = Path(file).relative_to(ROOT)
    return rests_on(path, repository().hash(ROOT / path, False).hex())


def recorded():
    return json.loads(RECORD.read_text("utf-8")) if RECORD.is_file() else {}


def stale(present):
    """Of {name: hash of the present code}, those that have not passed on it."""
    known = recorded()
    return [name for name, code in present.items() if known.get(name) != code]


def write(passed):
    """Note what has passed, {name: hash}, beside what others have."""
    known = recorded() | passed
    RECORD.write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")

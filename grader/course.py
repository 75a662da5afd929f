"""The folder of a class: what was handed in, the secret of its hidden inputs, and the results so far."""

import contextlib
import errno
import hashlib
import hmac
import os
import re
import secrets
import shutil
import stat
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from . import outcome
from .convert import Stopped

RULES = "nbgrader_config.py"
TIME = "timestamp.txt"
LARGEST = {"notebook": 100_000_000, TIME: 1000}  # bytes that are read of a submission


@dataclass(frozen=True)
class HandedIn:
    """What a student handed in. at: when, where timestamp.txt tells. note: what is odd about it, for the instructor."""

    content: bytes
    at: datetime | None = None
    note: str = ""


class Course:
    """The folder of one class, and one assignment in it."""

    def __init__(self, root: Path, folder: Path, name: str):
        self.root, self.folder, self.name = root, folder, name
        self.notebook = f"{name}.ipynb"
        self.submitted = folder / "submitted"
        self.source = folder / "solutions" / name / self.notebook
        self.own = folder / ".graded"
        self.results = self.own / "results" / name

    def prepare(self, out=None) -> bool:
        """Make what is missing of the class folder. Returns whether there is something to grade. out: for notes."""
        original = self.root / "solutions" / self.name / self.notebook
        for path, kept in {original: self.source, self.root / RULES: self.folder / RULES}.items():
            if not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, kept)
            elif kept == self.source and path.is_file() and path.read_bytes() != kept.read_bytes():
                print(
                    f"Note: {kept} is this class's own copy, and is used; the repository's is another one by now.\n"
                    "      To change over, delete the class's copy and grade again.",
                    file=out,
                )
        self.submitted.mkdir(exist_ok=True)
        self.results.mkdir(parents=True, exist_ok=True)
        self.own.chmod(0o700)
        for line in self.strange():
            print(f"Note: {line}", file=out)
        if not self.students():
            print(
                f"The class folder {self.folder} is ready. Put each notebook at\n"
                f"    {self.submitted}/<student>/{self.name}/{self.notebook}\n"
                "and run the same command again.",
                file=out,
            )
        return bool(self.students())

    def students(self) -> list[str]:
        """Who handed in a folder of this assignment."""
        return sorted(path.name for path in self._folders() if (path / self.name).is_dir())

    def strange(self) -> list[str]:
        """A line for each thing in submitted/ that looks like a submission of this assignment and is not read."""
        found = []
        for path in sorted(self.submitted.iterdir()):
            if path.is_file() and path.suffix == ".ipynb":
                found.append(f"{path.name} lies in submitted/ itself: move it to <student>/{self.name}/{self.notebook}")
            elif path.is_dir() and not _usable(path.name):
                found.append(f"{path.name[:40]!a} is not graded: rename the folder, its name is no UTF-8 or too long")
        for path in self._folders():
            if (path / self.name).is_dir():
                continue
            inside = sorted(p.name for p in path.iterdir())
            like = [name for name in inside if self._like(name)]
            if like:
                found.append(
                    f"{path.name} is not graded: there is {', '.join(like)} in submitted/{path.name}, and no folder "
                    f"{self.name}; put the notebook at {self.name}/{self.notebook}"
                )
        return found

    def _like(self, name):
        return re.match(rf"{re.escape(self.name)}\b.*?(\.ipynb)?$", name, re.IGNORECASE) is not None

    def _folders(self):
        """The students' folders. A Mac's archives bring one of their own."""
        folders = [path for path in self.submitted.iterdir() if path.is_dir() and not path.name.startswith(".")]
        return [path for path in folders if path.name != "__MACOSX" and _usable(path.name)]

    # --- what was handed in -----------------------------------------------------------------------------------------

    def handed_in(self, student: str) -> HandedIn:
        """The notebook and its time: all that is ever opened of a submission. Raises Stopped, saying what to do."""
        folder, notes = (student, self.name), []
        others = sorted(n for n in os.listdir(self.submitted.joinpath(*folder)) if n not in (self.notebook, TIME))
        try:
            content = read(self.submitted, *folder, self.notebook, limit=LARGEST["notebook"])
        except FileNotFoundError:
            raise Stopped(
                f"{self.notebook} is missing (the folder holds: {', '.join(others) or 'nothing'}); "
                "rename the right file"
            ) from None
        others = [name for name in others if name.endswith(".ipynb")]
        if others:
            notes.append(f"Beside {self.notebook} there is {', '.join(others)}, which was not looked at.")
        at = None
        with contextlib.suppress(FileNotFoundError):
            try:
                at = time_of(read(self.submitted, *folder, TIME, limit=LARGEST[TIME]))
            except Stopped as error:
                notes.append(str(error))
        return HandedIn(content, at, " ".join(notes))

    # --- hidden inputs ----------------------------------------------------------------------------------------------

    def seed_of(self, student: str, tried: int = 0) -> int:
        """The seed of this student's hidden inputs, 31 bits. tried: how many were drawn before it."""
        about = "\n".join((self.name, " ".join(student.split()), str(tried)))
        return int.from_bytes(hmac.digest(self._secret(), about.encode(), "sha256")[:4]) >> 1

    def _secret(self) -> bytes:
        path = self.own / "secret"
        if not path.is_file():
            self.own.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(secrets.token_hex(32))
        return path.read_bytes()

    # --- results ----------------------------------------------------------------------------------------------------

    def key(self, handed_in: HandedIn, student: str, *others: str) -> str:
        """Of all that a result depends on: the submission, the pristine notebook, the seed, and these texts."""
        parts = (handed_in.content, self.source.read_bytes(), str(self.seed_of(student)).encode())
        digest = hashlib.sha256()
        for part in (*parts, *(text.encode() for text in others)):
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()

    def result(self, student: str) -> outcome.Result | None:
        """The last result of this student, where there is one that can be read."""
        with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
            return outcome.from_json(self._result_file(student).read_bytes())

    def keep(self, result: outcome.Result) -> None:
        write(self._result_file(result.student), outcome.to_json(result).decode())

    def _result_file(self, student):
        return self.results / f"{student}.json"

    def log(self, student: str, text: str) -> None:
        write(self.own / "logs" / f"{self.name}-{student}.txt", text)


def _usable(name: str) -> bool:
    """Can gradebook and files hold this name of a student?"""
    try:
        return len(name.encode()) <= 240
    except UnicodeEncodeError:  # of an archive in another encoding
        return False


def time_of(content: bytes) -> datetime:
    """The time in a timestamp.txt, an ISO date with a time. Raises Stopped for any other text: nothing is guessed."""
    text = content.decode("utf-8-sig", "replace").strip()
    text = re.sub(r"\s*UTC$", "+00:00", text)
    try:
        if re.match(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", text):
            at = datetime.fromisoformat(text)
            return at.astimezone(timezone.utc).replace(tzinfo=None) if at.tzinfo else at
    except ValueError:
        pass
    raise Stopped(
        f"{TIME} cannot be read as a time, so none was noted: write it as 2026-11-03 14:30:00 UTC, in UTF-8. "
        f"It says {re.sub(r'[^ -~]', '?', text)[:40]!r}."
    )


def read(folder: Path, *steps: str, limit: int) -> bytes:
    """The regular file that `steps` lead to from `folder`, none of them through a link.

    A link could bring another student's answers, the solution, or the gradebook into a student's feedback. Raises
    Stopped for a link, for what is no regular file and for more than `limit` bytes.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # without the last, a pipe would wait for somebody who writes
    with contextlib.ExitStack() as opened:
        place = os.open(folder, os.O_RDONLY)
        opened.callback(os.close, place)
        for step in steps:
            try:
                place = os.open(step, flags, dir_fd=place)
            except OSError as error:
                if error.errno == errno.ELOOP:
                    raise Stopped(f"{step} is a link, and none is followed; put the file itself there") from None
                raise
            opened.callback(os.close, place)
        if not stat.S_ISREG(os.fstat(place).st_mode):
            raise Stopped(f"{step} is no regular file")
        content = opened.enter_context(open(place, "rb", closefd=False)).read(limit + 1)
    if len(content) > limit:
        raise Stopped(f"{step} is larger than {limit / 1e6:g} MB")
    return content


def write(path: Path, text: str) -> None:
    """Write a whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)

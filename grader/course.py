"""The folder of a class: what was handed in, what nbgrader gets of it, and what was graded before."""

import contextlib
import errno
import glob
import hashlib
import json
import os
import shutil
import stat
from pathlib import Path

from .convert import Stopped

RULES = "nbgrader_config.py"
TIME = "timestamp.txt"
LARGEST = {"notebook": 20_000_000, TIME: 1000}  # bytes that are read of a submission


class Course:
    """The folder of one class, and one assignment in it."""

    def __init__(self, root: Path, folder: Path, name: str):
        self.root, self.folder, self.name = root, folder, name
        self.notebook = f"{name}.ipynb"
        self.submitted = folder / "submitted"
        self.source = folder / "solutions" / name / self.notebook
        self.staged = folder / ".graded" / "staged"
        self.memory_file = folder / ".graded" / f"{name}.json"

    def prepare(self) -> bool:
        """Make what is missing of the class folder. Returns whether there is something to grade."""
        original = self.root / "solutions" / self.name / self.notebook
        for path, kept in {original: self.source, self.root / RULES: self.folder / RULES}.items():
            if not kept.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, kept)
            elif path.is_file() and path.read_bytes() != kept.read_bytes():
                print(
                    f"Note: {kept} is this class's own copy, and is used; the repository's is another one by now.\n"
                    "      To change over, delete the class's copy and grade again."
                )
        self.submitted.mkdir(exist_ok=True)
        self.memory_file.parent.mkdir(exist_ok=True)
        if not self.students():
            print(
                f"The class folder {self.folder} is ready. Put each notebook at\n"
                f"    {self.submitted}/<student>/{self.name}/{self.notebook}\n"
                "and run the same command again."
            )
        return bool(self.students())

    def students(self) -> list[str]:
        found = [path.parent.name for path in self.submitted.glob(f"*/{glob.escape(self.name)}") if path.is_dir()]
        return sorted(name for name in found if not name.startswith("."))

    def log(self, student: str, text: str) -> None:
        write(self.folder / ".graded" / "logs" / f"{self.name}-{student}.txt", text)

    # --- what was handed in -----------------------------------------------------------------------------------------

    def handed_in(self, student: str) -> dict[str, bytes]:
        """The notebook and, where there is one, timestamp.txt, by name: all that is ever opened of a submission."""
        if glob.escape(student) != student:
            raise Stopped("nbgrader takes * ? [ ] in a name for a pattern; rename the folder")
        folder = (student, self.name)
        try:
            files = {self.notebook: read(self.submitted, *folder, self.notebook, limit=LARGEST["notebook"])}
        except FileNotFoundError:
            found = sorted(os.listdir(self.submitted.joinpath(*folder)))
            raise Stopped(
                f"{self.notebook} is missing (the folder holds: {', '.join(found) or 'nothing'}); rename the right file"
            ) from None
        with contextlib.suppress(FileNotFoundError):
            files[TIME] = read(self.submitted, *folder, TIME, limit=LARGEST[TIME])
        return files

    def check_readable(self, files: dict[str, bytes]) -> None:
        """Say in words what nbgrader would say in a traceback."""
        try:
            cells = json.loads(files[self.notebook])["cells"]
        except (ValueError, KeyError, TypeError) as error:
            raise Stopped(f"{self.notebook} is not a notebook, or is damaged ({error}); ask for it again") from error
        if not any("nbgrader" in cell.get("metadata", {}) for cell in cells):
            raise Stopped(
                f"{self.notebook} has lost nbgrader's marks on its cells; copy the answers into a fresh notebook"
            )

    @contextlib.contextmanager
    def staging(self, student: str, files: dict[str, bytes]):
        """Meanwhile these files, and nothing else, stand where nbgrader looks for submissions."""
        folder = self.staged / student / self.name
        shutil.rmtree(self.staged, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            for name, content in files.items():
                (folder / name).write_bytes(content)
            yield
        finally:
            shutil.rmtree(self.staged, ignore_errors=True)

    # --- what was graded before -------------------------------------------------------------------------------------

    def digest(self, files: dict[str, bytes]) -> str:
        """Of the tests, the rules and what was handed in: what a grade depends on."""
        digest = hashlib.sha256()
        for content in (self.source.read_bytes(), (self.folder / RULES).read_bytes(), *files.values()):
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()

    @property
    def memory(self) -> dict:
        """student -> the digest of the submission that was graded, and of the marks that the feedback shows."""
        return json.loads(self.memory_file.read_text()) if self.memory_file.is_file() else {}

    def remember(self, student: str, **facts) -> None:
        memory = self.memory
        memory.setdefault(student, {}).update(facts)
        write(self.memory_file, json.dumps(memory, indent=1, sort_keys=True))

    def graded(self, student: str) -> Path:
        return self.folder / "autograded" / student / self.name

    def former(self, student: str) -> Path:
        return self.folder / ".graded" / "former" / student / self.name

    def lay_aside(self, student: str) -> None:
        """Keep what the former grading made until the new one is through."""
        if self.graded(student).exists():
            self.former(student).parent.mkdir(parents=True, exist_ok=True)
            self.graded(student).rename(self.former(student))

    def put_back(self, student: str) -> None:
        """Make what the former grading made valid again, also where that run was killed on the way."""
        if self.former(student).exists():
            shutil.rmtree(self.graded(student), ignore_errors=True)
            self.former(student).rename(self.graded(student))


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

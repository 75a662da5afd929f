"""What lies around the grader while an attack runs, and whether it was seen or touched; and one way to grade."""

import atexit
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from functools import cache
from pathlib import Path

import msgspec
import psutil

from grader import outcome, work
from grader.sandbox.limits import Limits, furnish

from .. import harness
from . import NAME
from .looks import CANARY, LEAK, MARKER, PORT, SOCKET

# More than any attack here needs to end by itself, and little enough to wait for one that does not.
LIMITS = Limits(cpu=30, wall=45, total=240)
SHORT = Limits(cpu=20, wall=10, total=240)  # a right training takes less, also on a busy machine
SMALL = Limits(cpu=3, wall=4, total=25)


def graded(content, limits=LIMITS, student="kit", seed=20_260_101, sandbox="bwrap"):
    """The Result or Failure of one submission, as a class's run gives it."""
    pristine = harness.source(NAME).path.read_text(encoding="utf-8")
    return work.run(work.Job(NAME, student, pristine, content, (seed,), "key", limits, sandbox, _worker_folder()))


@cache
def _worker_folder():
    kept = tempfile.mkdtemp(prefix="kit-worker-")
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    return str(furnish(Path(kept) / "worker", harness.source(NAME).withheld))


def points(result) -> dict:
    """By test; none where it could not be graded."""
    return {test.id: test.points for test in result.tests} if isinstance(result, outcome.Result) else {}


def printed(result) -> str:
    """All that the student's code printed and that was kept."""
    return "\n".join(cell.output for cell in result.cells) if isinstance(result, outcome.Result) else ""


def stored(result) -> str:
    """All that is kept of a submission and may be shown to the student: the details of a test are the instructor's."""
    if isinstance(result, outcome.Result):
        kept = msgspec.to_builtins(result)
        for test in kept["tests"]:
            del test["details"]
        return json.dumps(kept, ensure_ascii=False)
    return f"{result.why}\n{result.log}"


def leaks(result) -> list[str]:
    """What it says that it saw."""
    text = stored(result)
    return [text[at : at + 120] for at in range(len(text)) if text.startswith(LEAK, at)]


def running_code() -> str:
    """A hash of the runner, the kit and what they rest on: the `on` of its proofs."""
    files = [*(harness.ROOT / "grader").rglob("*.py"), *Path(__file__).parents[1].glob("test_[ah]*.py")]
    return harness.rests_on(NAME, *sorted(files), *sorted(Path(__file__).parent.glob("*.py")))


class Surroundings:
    """A class with another student's work, secrets at the usual places, and sockets that listen."""

    def __init__(self, folder: Path):
        self.folder, self.open = folder, contextlib.ExitStack()
        self.homes = [Path.home() / "kit-canary.txt", Path(tempfile.gettempdir()) / "kit-canary.txt"]
        self.files = {
            folder / "submitted" / "other" / NAME / f"{NAME}.ipynb": f'{{"cells": [], "{CANARY}": 1}}',
            folder / "gradebook.db": f"SQLite format 3 {CANARY}",
            folder / ".graded" / "secret": CANARY,
        }
        for path in self.homes:
            self.files[path] = CANARY
        for path, text in self.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._listen(socket.AF_INET, ("127.0.0.1", PORT))
        self._listen(socket.AF_UNIX, SOCKET)
        # In another process, since one's own later variables stand in no /proc/self/environ.
        words = [sys.executable, "-c", "import time; time.sleep(3600)", "pytest", CANARY]
        self.sleeper = subprocess.Popen(words, env=dict(os.environ) | {"KIT_SECRET": CANARY})
        os.environ["KIT_SECRET"] = CANARY

    def _listen(self, family, address):
        server = self.open.enter_context(socket.socket(family, socket.SOCK_STREAM))
        with contextlib.suppress(OSError):  # another run of the tests listens there: as good
            server.bind(address)
            server.listen()

    def touched(self) -> list[str]:
        """What was changed or left outside the sandbox."""
        changed = [
            f"{path} was changed" for path, text in self.files.items() if path.is_file() and path.read_text() != text
        ]
        tops = [Path(p) for p in ("/", "/tmp", "/var/tmp", "/dev/shm", "/etc", "/usr", "/usr/lib", "/run", "/dev")]
        tops += [Path.home(), Path.cwd(), harness.ROOT, harness.ROOT / "lllcourse", Path(sys.prefix), self.folder]
        tops += [Path(path) for path in sysconfig.get_paths().values()]
        left = {str(path) for top in tops if top.is_dir() for path in top.glob(f"{MARKER}*")}
        return changed + sorted(left)

    def touched_deep_down(self) -> list[str]:
        """As `touched`, in all folders of the repository, the home and the class."""
        tops = [*(path for path in harness.ROOT.iterdir() if path.name not in (".venv", ".git")), self.folder]
        tops += [Path.home() / name for name in (".ipython", ".config", ".jupyter", ".matplotlib", ".local/lib")]
        return [str(path) for top in tops if top.is_dir() for path in top.rglob(f"{MARKER}*")]

    def running(self, seconds=3) -> list[str]:
        """Processes of submissions that are still there after some seconds."""
        until = time.monotonic() + seconds
        while found := [p.info["cmdline"] for p in psutil.process_iter(["cmdline"]) if _is_marked(p.info["cmdline"])]:
            if time.monotonic() > until:
                return [" ".join(words)[:200] for words in found]
            time.sleep(0.2)
        return []

    def end(self):
        self.open.close()
        self.sleeper.kill()
        self.sleeper.wait()
        os.environ.pop("KIT_SECRET", None)
        for path in self.homes:
            path.unlink(missing_ok=True)


def _is_marked(words):
    return bool(words) and any(f"{MARKER}-process" in word for word in words)

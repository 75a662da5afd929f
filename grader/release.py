"""Make the notebooks that students receive: solutions/<id>/<id>.ipynb without its answers and hidden tests.

nbgrader does the work, without a gradebook; nothing is executed. The result is normalised like every
notebook of the repository, so that the same source always gives the same bytes.
"""

import argparse
import io
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import compute_checksum
from traitlets.config import PyFileConfigLoader
from traitlets.log import get_logger

from tools import notebooks

# nbgrader calls `alembic` by its name, also where the environment of this Python is not activated.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def assignments(root: Path) -> list[str]:
    """The ids of all assignments, each the name of a folder in solutions/ and of the notebook in it."""
    folders = sorted(path for path in (root / "solutions").iterdir() if path.is_dir())
    return [path.name for path in folders if not path.name.startswith((".", "_"))]


def load_config(folder: Path):
    return PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()


def convert(kind, config) -> str:
    """Run one of nbgrader's converters; return its log. A failure raises an error with the reason and the log in it."""
    text, log = io.StringIO(), get_logger()
    handler, level = logging.StreamHandler(text), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        kind(coursedir=CourseDirectory(config=config), config=config).start()
    except Exception as error:
        text.flush()
        raise Stopped(reason(text.getvalue()) or str(error), text.getvalue()) from error
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    return text.getvalue()


class Stopped(Exception):
    """nbgrader gave up: why, in a line, and its log."""

    def __init__(self, why, log=""):
        super().__init__(why)
        self.log = log


def reason(log: str) -> str:
    """The line of nbgrader's log that says what went wrong: the end of the first traceback in it."""
    lines = log.split("\n")
    starts = [n for n, line in enumerate(lines) if line.startswith("Traceback (")]
    ends = [line for line in lines[starts[0] + 1 :] if line[:1].strip()] if starts else []
    if ends and "DeadKernelError" in ends[0]:
        return "the kernel died: the code ended Python itself, or needed more memory than there is"
    return ends[0] if ends else ""


def release(root: Path, name: str) -> str:
    """The text of the notebook that students get of assignment `name`."""
    source = root / "solutions" / name
    found = sorted(path.name for path in source.glob("*.ipynb"))
    if found != [f"{name}.ipynb"]:
        raise Stopped(
            f"solutions/{name} should hold one notebook, {name}.ipynb; it holds: {', '.join(found) or 'none'}"
        )
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(root)
        config.CourseDirectory.root = str(root)
        config.CourseDirectory.assignment_id = name
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False  # it is for the gradebook
        config.CourseDirectory.release_directory = f"{folder}/release"
        convert(GenerateAssignment, config)
        made = Path(folder, "release", name)
        files = sorted(p.relative_to(made).as_posix() for p in made.rglob("*"))
        if files != [f"{name}.ipynb"]:
            raise Stopped(
                f"A release is one notebook, but {name}'s would have: {', '.join(files)}. Move what it needs into "
                "lllcourse, or name it in nbgrader_config.py under CourseDirectory.ignore."
            )
        notebook = json.loads((made / f"{name}.ipynb").read_text(encoding="utf-8"))
    notebook = notebooks.normalise(notebook, notebooks.bootstrap_text(root))
    for cell in notebook["cells"]:
        renew_checksum(cell, name)
    return notebooks.dump(notebook)


def renew_checksum(cell: dict, name: str) -> None:
    """Fit the checksum to the normalised text: taking out a hidden test leaves a blank line that we strip.

    A solution cell has to stay as nbgrader left it: by its checksum nbgrader knows an answer that nobody touched.
    """
    meta = cell["metadata"].get("nbgrader", {})
    if "checksum" not in meta:
        return
    old = meta["checksum"]
    cell = nbformat.from_dict({**cell, "source": notebooks.source_of(cell)})
    meta["checksum"] = compute_checksum(cell)
    if meta["solution"] and meta["checksum"] != old:
        raise Stopped(
            f"{name}: the solution cell {meta['grade_id']} has spaces or blank lines at an end: run make format"
        )


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent)
    root = parser.parse_args(argv).root.resolve()
    wrong = 0
    for name in assignments(root):
        target = root / "assignments" / name / f"{name}.ipynb"
        try:
            text = release(root, name)
        except Exception as error:  # whatever it is, the others are still made
            print(f"{name}: not released. {error}", file=sys.stderr)
            wrong += 1
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        same = target.is_file() and target.read_text(encoding="utf-8") == text
        if not same:
            target.write_text(text, encoding="utf-8")
        what = "is up to date" if same else "written"
        print(f"{name}: {target.relative_to(root)} {what}")
    known = set(assignments(root))
    for path in sorted((root / "assignments").iterdir()):
        if path.is_dir() and path.name not in known:
            print(
                f"{path.name}: assignments/{path.name} has no source in solutions/; delete it if it is not wanted",
                file=sys.stderr,
            )
            wrong += 1
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

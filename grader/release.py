"""Make the notebooks that students receive: solutions/<id>/<id>.ipynb without its answers and hidden tests.

nbgrader does the work, without a gradebook; nothing is executed. The result is normalised like every
notebook of the repository, so that the same source always gives the same bytes.
"""

import json
import sys
import tempfile
from pathlib import Path

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.utils import compute_checksum

from tools import notebooks

from . import assignment
from .convert import Stopped, convert, load_config


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


def release_all(root: Path) -> int:
    """Write every release that differs from its source's. Returns 1 where something is wrong, else 0."""
    wrong = 0
    for name in assignment.names(root):
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
    known = set(assignment.names(root))
    for path in sorted((root / "assignments").iterdir()):
        if path.is_dir() and path.name not in known:
            print(
                f"{path.name}: assignments/{path.name} has no source in solutions/; delete it if it is not wanted",
                file=sys.stderr,
            )
            wrong += 1
    return int(wrong > 0)

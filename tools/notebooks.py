"""The one form of the committed notebooks: `format` writes it, `check` only says what differs.

Both look after the addresses of the repository and of the package too: `_config.yml` and `pyproject.toml` set them, and
the guides follow.

A folded cell has the tag hide-input and a title, `lllcourse: {"title": "Draws the figure"}`, from which `format` writes
what JupyterLab and the page need.

`record` fills the tagged cells (nbval-check-output) with their outputs in _build/executed, after a `make book`.
"""

import argparse
import ast
import hashlib
import json
import math
import re
import sys
from pathlib import Path

import tomllib
import yaml

TAGGED = "nbval-check-output"
FOLDED = "hide-input"  # the code, not what it shows; the title of the fold is the cell's metadata lllcourse.title
WIDTH = 84  # of a chapter's code
NOISE = {
    "execution",
    "collapsed",
    "scrolled",
    "ExecuteTime",
    "vscode",
    "colab",
    "id",
    "outputId",
    "executionInfo",
}
# What is installed is asked for by its metadata: any folder named lllcourse in the working directory could be imported.
BOOTSTRAP = """\
# On Colab: installs the course's package, and leaves torch and numpy alone.
from importlib import metadata

WHEEL = "{wheel}"


def is_installed():
    return "{version}" in [found.version for found in metadata.distributions(name="lllcourse")][:1]


if not is_installed():
    %pip install --quiet --no-deps --retries 1 {{WHEEL}}
if not is_installed():
    raise ImportError(
        "lllcourse {version} is not installed, and its address cannot be reached. Download " + WHEEL
        + " elsewhere, put it beside this notebook and run: %pip install --no-deps lllcourse-{version}-py3-none-any.whl"
    )"""


def bootstrap_text(root: Path) -> str:
    return BOOTSTRAP.format(wheel=wheel(root), version=version(root))


def address(root: Path) -> str:
    """Of the repository."""
    return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"].removesuffix("/")


def version(root: Path) -> str:
    """Of the package."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def wheel(root: Path) -> str:
    """The address of the package, as a release has it."""
    return f"{address(root)}/releases/download/v{version(root)}/lllcourse-{version(root)}-py3-none-any.whl"


def with_address(page: str, root: Path) -> str:
    """A page of the book with the present addresses wherever it tells how to get the course or its package."""
    page = re.sub(r"(git clone )https://\S+", rf"\1{address(root)}", page)
    return re.sub(r"https://\S+/lllcourse-\S+?\.whl", wheel(root), page)


def find_notebooks(root: Path) -> list[Path]:
    found = [path for top in ("book", "solutions") for path in (root / top).rglob("*.ipynb")]
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts[len(root.parts) :]))


def source_of(cell: dict) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def executed_cells(path: Path) -> list[dict]:
    """The code cells of a notebook of the book, but for the one that installs the package."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code" and "bootstrap" not in tags_of(cell)]


def tags_of(cell: dict) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])


def title_of(cell: dict) -> str | None:
    return cell.get("metadata", {}).get("lllcourse", {}).get("title")


def normalise(notebook: dict, bootstrap: str) -> dict:
    """The same notebook in its one form. Idempotent."""
    kept = notebook.get("metadata", {}).get("lllcourse")
    cells = [dict(cell) for cell in notebook.get("cells", [])]
    place_bootstrap(cells, bootstrap)
    result, seen, count = [], set(), 0
    for cell in cells:
        source = "\n".join(line.rstrip() for line in source_of(cell).split("\n")).strip("\n")
        code = cell["cell_type"] == "code"
        count += code
        metadata = {key: value for key, value in cell.get("metadata", {}).items() if key not in NOISE}
        if not metadata.get("tags", True):
            del metadata["tags"]
        metadata = folded(metadata) if code else metadata
        new = {
            "cell_type": cell["cell_type"],
            "metadata": metadata,
            "source": source.splitlines(keepends=True),
        }
        new["id"] = cell_id(cell.get("id"), source, seen)
        if cell.get("attachments"):
            new["attachments"] = cell["attachments"]
        if code:
            keep = TAGGED in tags_of(cell) and bool(cell.get("outputs"))
            new["outputs"] = [numbered(output, count) for output in cell["outputs"]] if keep else []
            new["execution_count"] = count if keep else None
        result.append(new)
    metadata = {
        "kernelspec": {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    } | ({"lllcourse": kept} if kept is not None else {})
    return {"cells": result, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def numbered(output: dict, count: int) -> dict:
    return output | {"execution_count": count} if output.get("output_type") == "execute_result" else output


def folded(metadata: dict) -> dict:
    """The metadata of a code cell, in which the tag hide-input and the title of the fold say the rest: what the page
    writes on the fold (myst-nb), and that JupyterLab folds the code too.
    """
    title = title_of({"metadata": metadata}) if FOLDED in metadata.get("tags", []) else None
    metadata = dict(metadata)
    for key, facts in (
        ("jupyter", {"source_hidden": True}),
        ("mystnb", {"code_prompt_show": title, "code_prompt_hide": title}),
    ):
        others = {name: value for name, value in metadata.pop(key, {}).items() if name not in facts}
        metadata |= {key: new} if (new := others | (facts if title else {})) else {}
    return metadata


def place_bootstrap(cells: list[dict], text: str) -> None:
    """Rewrite the bootstrap cell where it stands, or add it below the title."""
    for cell in cells:
        if cell.get("id") == "bootstrap":
            break
    else:
        cell = {"id": "bootstrap"}
        cells.insert(1 if cells and cells[0]["cell_type"] == "markdown" else 0, cell)
    nbgrader = {key: value for key, value in cell.get("metadata", {}).items() if key == "nbgrader"}
    # What is needed on Colab alone is not on the page.
    cell.update(cell_type="code", source=text, metadata={"tags": ["bootstrap", "remove-cell"]} | nbgrader)


def cell_id(old: str | None, source: str, seen: set[str]) -> str:
    """The cell's own id; if it has none, one that follows from its text, so that two people add the same."""
    new, number = old, 0
    while not new or new in seen or not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", new):
        new = hashlib.sha256(f"{number}{source}".encode()).hexdigest()[:8]
        number += 1
    seen.add(new)
    return new


def dump(notebook: dict) -> str:
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def problems(text: str, bootstrap: str, width: float) -> list[str]:
    """What a person should know about a notebook that is not in its one form, or has code wider than this."""
    try:
        notebook = json.loads(text)
        cells = notebook["cells"]
    except (ValueError, KeyError, TypeError) as error:
        return [f"is not a notebook: {error!r}"]
    found = untestable(notebook) + too_wide(notebook, width)
    ids = [cell.get("id") for cell in cells]
    if None in ids or len(set(ids)) < len(ids):
        found.append("has cells without an id, or two with the same: run make format")
    for index, cell in enumerate(cells):
        has_output = cell.get("outputs") or cell.get("execution_count") is not None
        if has_output and TAGGED not in tags_of(cell):
            found.append(f"cell {index} has outputs or a count but no tag {TAGGED}: run make format")
        if (FOLDED in tags_of(cell)) != bool(title_of(cell)) and cell.get("id") != "bootstrap":
            found.append(
                f"cell {index} ({cell.get('id')}): a folded cell (tag {FOLDED}) needs a title, lllcourse.title in its "
                "metadata, and no other cell has one"
            )
        if says_more_than_its_figure(cell):
            found.append(
                f"cell {index} ({cell.get('id')}) has a caption, and its last expression is shown as a second output, "
                "which the page would give the same name: end it with a semicolon"
            )
    if not any(cell.get("id") == "bootstrap" and source_of(cell) == bootstrap for cell in cells):
        found.append("its bootstrap cell is missing or differs from tools/notebooks.py: run make format")
    if not found and dump(normalise(notebook, bootstrap)) != text:
        found.append("is not in its normal form (metadata, white space or JSON): run make format")
    return found


def says_more_than_its_figure(cell: dict) -> bool:
    if "figure" not in cell.get("metadata", {}).get("mystnb", {}):
        return False
    try:
        lines = ast.parse(source_of(cell)).body
    except SyntaxError:  # a magic, or what ruff complains of
        return False
    return bool(lines) and isinstance(lines[-1], ast.Expr) and not source_of(cell).rstrip().endswith(";")


def too_wide(notebook: dict, width: float) -> list[str]:
    """A page scrolls where a line of code is longer. The bootstrap cell stands on none."""
    return [
        f"cell {index} ({cell.get('id')}) has a line of more than {width} characters"
        for index, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code" and cell.get("id") != "bootstrap"
        if any(len(line) > width for line in source_of(cell).split("\n"))
    ]


def untestable(notebook: dict) -> list[str]:
    """nbval compares nothing where the output or its count is missing, and says nothing of it."""
    return [
        f"cell {index} is tagged {TAGGED} but holds no output and count: run make book, then "
        "python -m tools.notebooks record"
        for index, cell in enumerate(notebook["cells"])
        if TAGGED in tags_of(cell) and not (cell.get("outputs") and cell.get("execution_count"))
    ]


def record(notebook: dict, executed: dict) -> None:
    """Take the tagged cells' outputs from the executed copy."""
    ran = {cell["id"]: cell for cell in executed["cells"]}
    for cell in notebook["cells"]:
        if TAGGED in tags_of(cell) and source_of(ran.get(cell.get("id"), {})) == source_of(cell):
            cell["outputs"] = ran[cell["id"]]["outputs"]


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=["format", "check", "record"])
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent)
    options = parser.parse_args(argv)
    root = options.root.resolve()
    bootstrap, wrong = bootstrap_text(root), 0
    for path in find_notebooks(root):
        name, text = path.relative_to(root), path.read_text(encoding="utf-8")
        width = WIDTH if name.parts[0] == "book" else math.inf
        if options.mode == "check":
            found = problems(text, bootstrap, width)
        else:
            notebook = json.loads(text)
            executed = root / "_build" / "executed" / name
            if options.mode == "record" and executed.is_file():
                record(notebook, json.loads(executed.read_text(encoding="utf-8")))
            notebook = normalise(notebook, bootstrap)
            found = untestable(notebook) + too_wide(notebook, width)
            if dump(notebook) != text:
                path.write_text(dump(notebook), encoding="utf-8")
                print(f"{name}: rewritten")
        for problem in found:
            print(f"{name}: {problem}")
        wrong += bool(found)
    for path in sorted((root / "book").rglob("*.md")):
        name, text = path.relative_to(root), path.read_text(encoding="utf-8")
        if with_address(text, root) == text:
            continue
        if options.mode == "check":
            print(f"{name}: names another address or version than _config.yml and pyproject.toml: run make format")
            wrong += 1
        else:
            path.write_text(with_address(text, root), encoding="utf-8")
            print(f"{name}: rewritten")
    return int(options.mode == "check" and wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

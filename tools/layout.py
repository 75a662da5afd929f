"""Check that the repository is laid out as ARCHITECTURE.md says: folders, names, and who imports whom."""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

FOLDERS = ("book", "lllcourse", "tests", "tools", "assignments", "solutions")
# A module imports only what stands at its own level or below.
LEVEL = {
    "data": 0,
    "models": 0,
    "questions": 1,
    "tasks": 1,
    "training": 1,
    "metrics": 2,
    "lifelong": 3,
    "compression": 3,
}
METHODS = {"lifelong", "compression"}
ON_TOP = {"grading", "cli"}


def check_folders(root: Path) -> Iterator[str]:
    for name in FOLDERS:
        if not (root / name).is_dir():
            yield f"the folder {name}/ is missing"


def toc_files(node) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node[key] for key in ("root", "file") if key in node)
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from toc_files(item)


def check_chapters(root: Path) -> Iterator[str]:
    listed = {
        re.sub(r"\.(md|ipynb)$", "", name)
        for name in toc_files(yaml.safe_load((root / "_toc.yml").read_text()))
    }
    pages = [
        path.relative_to(root)
        for kind in ("ipynb", "md")
        for path in (root / "book").rglob(f"*.{kind}")
    ]
    pages = [
        page
        for page in pages
        if not any(part.startswith((".", "_")) for part in page.parts)
    ]
    for name in sorted(listed):
        if not any((root / f"{name}{kind}").is_file() for kind in (".md", ".ipynb")):
            yield f"_toc.yml lists {name}, which does not exist"
    for page in sorted(pages):
        if page.with_suffix("").as_posix() not in listed:
            yield f"{page} is not listed in _toc.yml: no reader would find it"
        if page.suffix == ".ipynb" and not re.fullmatch(
            r"\d\d_[a-z0-9]+(_[a-z0-9]+)*", page.stem
        ):
            yield f"{page} should be named like 01_catastrophic_forgetting.ipynb"


def imported(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and first-level name (data, lifelong, ...) of every import from lllcourse. `package`: the file's own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            targets = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            parts = target.split(".")
            if parts[0] == "lllcourse" and len(parts) > 1:
                yield node.lineno, parts[1]


def check_module(root: Path, path: Path) -> Iterator[str]:
    parts = (
        path.relative_to(root).with_suffix("").parts
    )  # ("lllcourse", "lifelong", "ewc")
    own, where, tree = (
        parts[1],
        path.relative_to(root),
        ast.parse(path.read_text(encoding="utf-8")),
    )
    for line, name in imported(tree, parts[:-1]):
        if LEVEL.get(name, -1) > LEVEL.get(own, 99):
            yield f"{where}:{line}: {own} imports {name}, which stands above it"
        if own == "figures" and name in METHODS:
            yield f"{where}:{line}: figures draws results and imports no method"
        if name in ON_TOP and own not in ON_TOP:
            yield f"{where}:{line}: nothing imports {name}"
    allowed = set()
    if parts == ("lllcourse", "__init__"):
        device = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name == "device"
        ]
        allowed = {id(node) for function in device for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield f"{where}:{node.lineno}: raise an error that says what to do; an assert does not"
        literal = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if (
            literal
            and re.fullmatch(r"cuda(:\d+)?", node.value)
            and id(node) not in allowed
        ):
            yield f'{where}:{node.lineno}: "cuda" belongs in lllcourse.device() only'
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "cuda"
            and id(node) not in allowed
        ):
            yield f"{where}:{node.lineno}: .cuda belongs in lllcourse.device() only; use .to(device)"


def check_all(root: Path) -> list[str]:
    found = [*check_folders(root), *check_chapters(root)]
    for path in sorted((root / "lllcourse").rglob("*.py")):
        found += check_module(root, path)
    return found


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent)
    found = check_all(parser.parse_args(argv).root.resolve())
    print("\n".join(found), end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

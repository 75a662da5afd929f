"""Check that the repository is laid out as ARCHITECTURE.md says: folders, names, and who imports whom."""

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from .imports import Repository

FOLDERS = ("assignments", "benchmarks", "book", "experiments", "grader", "lllcourse", "solutions", "tests", "tools")
PACKAGES = ("experiments", "grader", "lllcourse", "tests", "tools")


def check_folders(root: Path) -> Iterator[str]:
    for name in FOLDERS:
        if not (root / name).is_dir():
            yield f"the folder {name}/ is missing"
    for name in sorted(path.name for path in (root / "tests").glob("[!_]*") if path.is_dir()):
        if not any((place / name).is_dir() for place in (root, root / "lllcourse")):
            yield f"tests/{name}/ mirrors nothing: there is neither {name}/ nor lllcourse/{name}/"


def toc_files(node) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node[key] for key in ("root", "file") if key in node)
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from toc_files(item)


def check_chapters(root: Path) -> Iterator[str]:
    listed = {re.sub(r"\.(md|ipynb)$", "", name) for name in toc_files(yaml.safe_load((root / "_toc.yml").read_text()))}
    pages = [path.relative_to(root) for kind in ("ipynb", "md") for path in (root / "book").rglob(f"*.{kind}")]
    pages = [page for page in pages if not any(part.startswith((".", "_")) for part in page.parts)]
    for name in sorted(listed):
        if not any((root / f"{name}{kind}").is_file() for kind in (".md", ".ipynb")):
            yield f"_toc.yml lists {name}, which does not exist"
    for page in sorted(pages):
        if page.with_suffix("").as_posix() not in listed:
            yield f"{page} is not listed in _toc.yml: no reader would find it"
        chapter = page.suffix == ".ipynb" and page.parent != Path("book/guides")
        if chapter and not re.fullmatch(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*", page.stem):
            yield f"{page} should be named like 01_catastrophic_forgetting.ipynb"


def check_directions(root: Path) -> Iterator[str]:
    """The contracts of pyproject.toml, as import-linter judges them."""
    linter = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    done = subprocess.run(linter, cwd=root, capture_output=True, text=True)
    if done.returncode:
        yield (done.stdout + done.stderr).strip()


def check_names(root: Path) -> Iterator[str]:
    """What a lazy `__init__` hands on is for readers: inside the package it would hide an import from import-linter."""
    repository = Repository(root)
    for path in sorted((root / "lllcourse").rglob("*.py")):
        reader, where = repository.read(path), path.relative_to(root)
        for line, answer in sorted(set(reader.handed_on)):
            name, module = answer.split(": ")
            yield f"{where}:{line}: import {name} from the module that defines it, {module}"
        for line, what in sorted(set(reader.unresolved)):
            yield f"{where}:{line}: {what}: nobody can tell which modules this needs; name them"


def check_module(root: Path, path: Path) -> Iterator[str]:
    where, tree = path.relative_to(root), ast.parse(path.read_text(encoding="utf-8"))
    inside, allowed = where.parts[0] == "lllcourse", set()
    if where.as_posix() == "lllcourse/__init__.py":
        device = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "device"]
        allowed = {id(node) for function in device for node in ast.walk(function)}
    for node in ast.walk(tree):
        attribute = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if attribute == "sys.path":
            yield f"{where}:{node.lineno}: no sys.path: everything runs as a module, python -m, from the repository"
        if not inside:
            continue
        if isinstance(node, ast.Assert):
            yield f"{where}:{node.lineno}: raise an error that says what to do; an assert does not"
        literal = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if literal and re.fullmatch(r"cuda(:\d+)?", node.value) and id(node) not in allowed:
            yield f'{where}:{node.lineno}: "cuda" belongs in lllcourse.device() only'
        if attribute.endswith(".cuda") and id(node) not in allowed:
            yield f"{where}:{node.lineno}: .cuda belongs in lllcourse.device() only; use .to(device)"


def check_all(root: Path) -> list[str]:
    found = [*check_folders(root), *check_chapters(root), *check_directions(root), *check_names(root)]
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
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

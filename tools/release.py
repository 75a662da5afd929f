"""Make a release: `python -m tools.release v0.2.0 [--push origin]`, after `make book`.

It builds the wheel that the first cell of every notebook installs, into `_build/release`, and pushes the plain
notebooks of `_build/colab` as the branch `colab`, where the book's rocket and its first cells look for them. It refuses
before anything is done where the tag is not the version's, or where the repository has no address yet.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .notebooks import address, version

ROOT = Path(__file__).parent.parent
BRANCH = "colab"


def refused(root: Path, tag: str) -> str:
    """Why there can be no release of this name, in a sentence; "" where it can."""
    if is_placeholder(root):
        return "_config.yml has no address of a repository yet: set it, run make format, and commit."
    if tag != f"v{version(root)}":
        return f"The version in pyproject.toml is {version(root)}, so the tag has to be v{version(root)}, not {tag}."
    if not any((root / "_build/colab").glob("**/*.ipynb")):
        return "There are no plain notebooks in _build/colab: run make book."
    return ""


def is_placeholder(root: Path) -> bool:
    return "OWNER" in address(root).split("/")


def wheel(root: Path) -> Path:
    """Build the package's wheel."""
    target = root / "_build/release"
    shutil.rmtree(target, ignore_errors=True)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", target, root, cwd=root)
    (made,) = target.glob("*.whl")
    return made


def push(root: Path, remote: str, tag: str) -> None:
    """Make the plain notebooks the branch `colab` of this remote, one commit without a past."""
    folder, index = root / "_build/colab", root / "_build/colab.index"
    index.unlink(missing_ok=True)
    apart = {"GIT_INDEX_FILE": str(index)}  # the repository's own index stays as it is
    run("git", "--work-tree", folder, "add", "--all", "--force", ".", cwd=folder, env=apart)
    tree = run("git", "write-tree", cwd=root, env=apart)
    commit = run("git", "commit-tree", tree, "-m", f"Plain notebooks of {tag}", cwd=root)
    run("git", "push", "--quiet", "--force", remote, f"{commit}:refs/heads/{BRANCH}", cwd=root)


def run(*command, cwd, env=None) -> str:
    done = subprocess.run(command, cwd=cwd, env=os.environ | (env or {}), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"release: this failed: {' '.join(map(str, command))}")
    return done.stdout.strip()


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tag", help="v and the version of pyproject.toml")
    parser.add_argument("--push", metavar="REMOTE", help="where the branch colab goes")
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args(argv)
    root = options.root.resolve()
    if why := refused(root, options.tag):
        print(f"release: {why}", file=sys.stderr)
        return 1
    print(f"release: {wheel(root).relative_to(root)}")
    if options.push:
        push(root, options.push, options.tag)
        print(f"release: the plain notebooks are the branch {BRANCH} of {options.push}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

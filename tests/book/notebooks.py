"""What a proof that runs a notebook of the book rests on."""

from functools import partial

import nbformat
import pytest

from .. import proofs

ROOT = proofs.ROOT


def code_of(path):
    """The sources of a notebook's code cells, but for the one that installs the package."""
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code" and cell.id != "bootstrap"]


def hash_of(path):
    return proofs.rests_on(path.relative_to(ROOT), *code_of(path))


def runs(path):
    """The mark of a proof that runs the notebook: stale when its code has changed, or what that imports."""
    return pytest.mark.prove(on=partial(hash_of, path))

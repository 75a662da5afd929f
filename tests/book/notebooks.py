"""What a proof that runs a notebook of the book rests on."""

from functools import partial

import pytest

from tools.notebooks import executed_cells, source_of

from .. import proofs

ROOT = proofs.ROOT


def code_of(path):
    """The sources of the cells that a proof runs."""
    return [source_of(cell) for cell in executed_cells(path)]


def hash_of(path):
    return proofs.rests_on(path.relative_to(ROOT), *code_of(path))


def runs(path):
    """The mark of a proof that runs the notebook: stale when its code has changed, or what that imports."""
    return pytest.mark.prove(on=partial(hash_of, path))

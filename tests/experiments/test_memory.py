"""A slice of the recorded memories of chapter 06, made again."""

import pytest

from ..proofs import records
from .harness import experiment


def comes_out_again(family, names, **fewer):
    """The bounds leave room for another processor, on which a run may differ a little."""
    module, old = experiment(f"memory/{family}")
    again = module.run(0, **module.SETTINGS | fewer)
    for name in names:
        now, before = again[name], old[name]
        if "accuracy" not in now:
            ((setting, now),) = now.items()
            before = before[setting]
        assert now["accuracy"] == pytest.approx(before["accuracy"], abs=0.03), name
        assert now["storage"] == before["storage"]


@pytest.mark.prove(on=records("memory/bounds", "memory/gem", "memory/replay"))
def test_a_slice_of_the_memories_comes_out_again():
    comes_out_again("bounds", ["fine-tuning", "joint training", "EWC"], lams=[3])
    comes_out_again("gem", ["GEM, margin 0", "A-GEM"], memories=[25], margins=[0])
    comes_out_again("replay", ["replay", "replay, of each"], memories=[25])

"""A slice of the recorded memories of chapter 06, made again."""

import pytest

from .harness import experiment


def test_a_slice_of_the_memories_comes_out_again():
    """The bounds leave room for another processor, on which a run may differ a little."""
    module, old = experiment("memory")
    again = module.run(0, **module.SETTINGS | {"memories": [25], "margins": [0], "lams": [3]})
    for name in ("fine-tuning", "joint training"):
        assert again[name]["accuracy"] == pytest.approx(old[name]["accuracy"], abs=0.03)
    for name, setting in {"GEM, margin 0": "25", "A-GEM": "25", "replay": "25", "EWC": "3"}.items():
        now, before = again[name][setting], old[name][setting]
        assert now["accuracy"] == pytest.approx(before["accuracy"], abs=0.03), name
        assert now["storage"] == before["storage"]

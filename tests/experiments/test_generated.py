"""A slice of the recorded comparison of stored and generated images in chapter 08, made again."""

import pytest

from ..proofs import records
from .harness import experiment


@pytest.mark.prove(on=records("generated"))
def test_stored_and_generated_images_come_out_again():
    """The bounds leave room for another processor, on which a run may differ a little."""
    module, old = experiment("generated")
    now = module.run(0, **module.SETTINGS | {"memories": [200], "steps": [400]})
    slices = {"bounds": ("fine-tuning", "joint training"), "stored": ["200"], "weighed": ["200"], "generated": ["400"]}
    for kind, names in slices.items():
        for name in names:
            again, before = now[kind][name], old[kind][name]
            assert again["accuracy"] == pytest.approx(before["accuracy"], abs=0.03), (kind, name)
            assert again["storage"] == before["storage"]
    assert now["drawings"].keys() == old["drawings"].keys()
    for stage, seen in now["drawings"].items():
        assert seen["any"] == pytest.approx(old["drawings"][stage]["any"], abs=0.06), stage


def test_the_judge_takes_real_digits_for_digits_and_what_is_broken_are_images():
    module, old = experiment("generated")
    assert old["drawings"]["real"]["any"] > 0.9
    test = module.digits().test
    for images in module.broken(test.x, test.y, 20, seed=1).values():
        assert images.shape == (20, 784) and 0 <= images.min() <= images.max() <= 1

"""A slice of the recorded students of chapter 14, made again."""

import pytest

from lllcourse.data import digits

from ..proofs import records
from .harness import experiment


@pytest.mark.prove(on=records("distillation/unseen"))
def test_a_student_of_the_unseen_comes_out_again():
    """The bounds leave room for another processor, on which a run may differ a little."""
    module, old = experiment("distillation/unseen")
    again = module.run(0, **module.SETTINGS | {"temperatures": [4]})["unseen"]
    for way in ("hard", "4", "two digits"):
        for kind in again[way].keys() & {"raw", "corrected"}:
            for part in ("unseen", "all"):
                before = old["unseen"][way][kind][part]
                assert again[way][kind][part] == pytest.approx(before, abs=0.06), (way, kind, part)
    assert again["4"]["prior"] == pytest.approx(old["unseen"]["4"]["prior"], abs=0.005)


@pytest.mark.prove(on=records("distillation/hidden"))
def test_the_hints_come_out_again():
    module, old = experiment("distillation/hidden")
    again = module.run(0, **module.SETTINGS)["hidden"]
    assert again.keys() == old["hidden"].keys()
    for way, facts in again.items():
        assert facts["accuracy"] == pytest.approx(old["hidden"][way]["accuracy"], abs=0.03), way


def test_the_least_sure_images_come_out_again():
    module, old = experiment("distillation/ambiguous")
    again = module.run(0, **module.SETTINGS)["ambiguous"]
    before = {one["image"]: one["logits"] for one in old["ambiguous"]}
    shared = [one for one in again if one["image"] in before]
    assert len(shared) >= len(before) - 2
    for one in shared:
        assert one["logits"] == pytest.approx(before[one["image"]], abs=0.2)
        assert one["label"] == digits().test.y[one["image"]]


def test_few_images_are_as_many_of_each_digit_and_every_seed_has_its_own():
    runs = experiment("distillation/labels")[0]
    few = runs.few(100, 0)
    assert few.y.bincount().tolist() == [10] * 10
    assert not (few.x == runs.few(100, 1).x).all()

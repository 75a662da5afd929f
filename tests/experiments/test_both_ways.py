"""A slice of the recorded runs of noisy and clean digits in both orders, made again."""

import pytest

from lllcourse.results import recorded

from ..proofs import records
from .harness import experiment


def test_the_lecture_s_order_is_that_of_chapter_01():
    for one, other in zip(recorded("both_ways")["runs"], recorded("noisy_then_clean")["runs"], strict=True):
        for row, expected in zip(one["0.2"]["noisy first"], other["Adam"]["R"], strict=True):
            assert row == pytest.approx(expected, abs=0.06)


@pytest.mark.prove(on=records("both_ways"))
def test_a_slice_of_both_ways_comes_out_again():
    module, old = experiment("both_ways")
    (again,) = module.run_seeds([0], **module.SETTINGS | {"noises": [0.2]})
    for way, R in again["0.2"].items():
        for row, expected in zip(R, old["0.2"][way], strict=True):
            assert row == pytest.approx(expected, abs=0.06)
    assert again["longer"] == pytest.approx(old["longer"], abs=0.03)

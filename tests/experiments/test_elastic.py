"""The recorded runs of chapter 04: a slice of them made again, and beside another record of the same runs."""

import pytest
import torch

from lllcourse import metrics
from lllcourse.results import over_seeds, recorded

from ..proofs import records
from .harness import experiment


@pytest.mark.prove(on=records("elastic"))
def test_a_slice_of_the_strengths_comes_out_again():
    """The bounds leave room for another processor, on which a run may differ a little."""
    module, old = experiment("elastic")
    (again,) = module.run_seeds([0], **module.SETTINGS | {"lams": {"EWC": [10]}})
    assert again["curvature"] == pytest.approx(old["curvature"], abs=0.1)
    pairs = [(again["EWC"]["10"], old["EWC"]["10"]), (again["fine-tuning"], old["fine-tuning"])]
    for now, before in pairs:
        R = torch.tensor([now["R"], before["R"]])
        for number in (metrics.accuracy, metrics.backward_transfer):
            assert number(R[0]) == pytest.approx(number(R[1]), abs=0.03)
        assert now["moved"][-1] == pytest.approx(before["moved"][-1], rel=0.2)


def test_the_accuracies_agree_with_those_of_chapter_05():
    """The same runs, made apart: the bounds leave room for another processor."""
    found, other = recorded("elastic"), recorded("importances")
    ways = {("fine-tuning",): ("fine-tuning",), ("joint training",): ("joint",), ("EWC", "10"): ("EWC", "10")}
    ways |= {("L2", lam): ("L2", lam) for lam in ("0.003", "0.01")}
    for way, there in ways.items():
        ends = over_seeds(found, *way, "R")[:, -1].mean(1)
        assert torch.allclose(ends, over_seeds(other, *there, "accuracy"), atol=0.02), way

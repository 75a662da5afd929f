"""The recorded R tables of chapter 03: a slice of them made again, and beside other records of the same runs."""

import pytest
import torch

from lllcourse import metrics
from lllcourse.results import over_seeds, recorded
from lllcourse.tasks import SCENARIOS

from ..proofs import records
from .harness import experiment

NUMBERS = metrics.accuracy, metrics.backward_transfer, metrics.forward_transfer


def read(R):
    return [number(R) for number in NUMBERS]


@pytest.mark.prove(on=records("evaluation"))
def test_a_slice_of_the_tables_comes_out_again():
    """The bounds leave room for another processor, on which a run may differ a little."""
    module, old = experiment("evaluation")
    (again,) = module.run_seeds([0], **module.SETTINGS | {"lams": [150]})
    assert again.keys() == old.keys()
    for sequence, methods in again.items():
        for name, now in methods.items():
            before = old[sequence][name]
            if name == "EWC":
                now, before = now["150"], before["150"]
            assert read(now["R"]) == pytest.approx(read(before["R"]), abs=0.05), (sequence, name)


def test_the_tables_agree_with_the_other_records_of_the_same_runs():
    """There one seed was trained after another, here all together: single images may fall on the other side."""
    found = recorded("evaluation")
    for way in ("fine-tuning", "joint training"):
        ends = over_seeds(found, "permuted", way, "R")[:, -1].mean(1)
        assert torch.allclose(ends, over_seeds(recorded("memory"), way, "accuracy"), atol=0.03)
    for scenario in SCENARIOS:
        ends = over_seeds(found, f"split, {scenario}", "fine-tuning", "R")[:, -1].mean(1)
        others = over_seeds(recorded("scenarios"), scenario, "fine-tuning", "", "accuracy")
        assert torch.allclose(ends, others, atol=0.03)

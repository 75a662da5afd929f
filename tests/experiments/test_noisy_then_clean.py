"""A slice of the recorded runs of Example 1, made again, and what chapter 01 says of them."""

import pytest
import torch

from lllcourse.results import recorded

from ..proofs import records
from .harness import experiment


@pytest.mark.prove(on=records("noisy_then_clean"))
def test_a_slice_of_noisy_then_clean_comes_out_again():
    """The bounds leave room for another processor, on which a run may differ."""
    module, old = experiment("noisy_then_clean")
    now = module.run(0, **module.SETTINGS)
    for name in ("Adam", "plain SGD"):
        assert torch.tensor(now[name]["R"]) == pytest.approx(torch.tensor(old[name]["R"]), abs=0.05)
        assert now[name]["moved"] == pytest.approx(old[name]["moved"], rel=0.1)
    for kind in ("noisy", "clean"):
        assert now["both at once"][kind] == pytest.approx(old["both at once"][kind], abs=0.03)
    assert now["alone"] == pytest.approx(old["alone"], abs=0.03)
    assert now["noise anew"] == pytest.approx(old["noise anew"], abs=0.05)


def test_both_ways_of_training_take_the_same_number_of_steps():
    for run in recorded("noisy_then_clean")["runs"]:
        assert run["Adam"]["steps"] == run["both at once"]["steps"]
        assert run["Adam"]["curve"][-1] == run["Adam"]["R"][2][0]


def test_adam_forgets_the_noisy_digits_in_every_run_and_walks_further_than_plain_descent():
    lost = {"Adam": [], "plain SGD": []}
    for run in recorded("noisy_then_clean")["runs"]:
        for name, runs in lost.items():
            runs.append(run[name]["R"][1][0] - run[name]["R"][2][0])
        assert run["Adam"]["moved"] > 2 * run["plain SGD"]["moved"]
    assert min(lost["Adam"]) > 0.1
    assert abs(sum(lost["plain SGD"])) / 5 < 0.01


def test_a_wider_network_forgets_less_on_average_and_more_in_one_run():
    def lost(R):
        return R[1][0] - R[2][0]

    runs = recorded("noisy_then_clean")["runs"]
    less = [lost(run["Adam"]["R"]) - lost(run["wider"]) for run in runs]
    assert sum(less) / 5 > 0.03 and sum(difference < 0 for difference in less) == 1

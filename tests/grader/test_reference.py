"""The reference metrics: what the file holds, and how its rates are worked out."""

import math

import pytest

from grader import reference
from lllcourse.grading import check


def test_the_upper_limit_is_the_rule_of_three_for_no_event():
    assert reference.upper_limit(0, 300) == pytest.approx(3 / 300, rel=0.01)
    assert reference.upper_limit(0, 20) == pytest.approx(1 - 0.05 ** (1 / 20))
    assert reference.upper_limit(20, 20) == pytest.approx(1)


def test_the_upper_limit_leaves_five_percent():
    p = reference.upper_limit(2, 20)
    assert sum(math.comb(20, k) * p**k * (1 - p) ** (20 - k) for k in range(3)) == pytest.approx(0.05)


def test_what_has_no_metrics_or_no_number_is_outside():
    bands = {"accuracy": [0.8, 0.9]}
    assert reference.inside({"accuracy": 0.85}, bands)
    for metrics in (
        None,
        {"accuracy": 0.7},
        {"accuracy": 0.95},
        {"accuracy": float("nan")},
    ):
        assert not reference.inside(metrics, bands)


def test_the_recorder_keeps_what_the_band_is_asked_about_and_checks_the_rest():
    recorder = reference.Recorder(7)
    assert recorder.seed() == 7
    recorder.in_band("x", accuracy=0.5)
    assert recorder.metrics == {"accuracy": 0.5}
    with pytest.raises(check.CheckFailed):
        recorder.equal(1, 2, "Two.")


def test_the_file_has_the_experiments_that_there_are():
    assert set(check.reference_metrics()) == set(reference.experiments())


@pytest.mark.parametrize("name", reference.experiments())
def test_the_file_has_an_experiment_with_enough_runs_behind_it(name):
    entry = check.reference_metrics()[name]
    rates = entry["rates"]
    assert len(entry["seeds"]) >= 20
    seeds = [entry["seeds"], rates["right_seeds"], rates["mistake_seeds"]]
    assert len(set().union(*seeds)) == sum(map(len, seeds)), "the rates must be measured on other seeds"
    for row in rates["wrongly_failed"] + rates["wrongly_passed"]:
        assert row["runs"] >= 60
        assert row["at_most"] == round(reference.upper_limit(row["wrong"], row["runs"]), 3)
    failed, runs = (sum(row[key] for row in rates["wrongly_failed"]) for key in ("wrong", "runs"))
    assert reference.upper_limit(failed, runs) ** 2 < 0.001, "a right solution, in both of its tries"
    for metric, (low, high) in entry["bands"].items():
        assert low < entry["spread"][metric]["min"] <= entry["mean"][metric] <= entry["spread"][metric]["max"] < high


def test_the_table_names_bands_rates_and_versions():
    text = reference.as_markdown()
    entry = check.reference_metrics()["ewc.permuted"]
    low, high = entry["bands"]["accuracy"]
    assert f"{low:.3f} to {high:.3f}" in text and f"torch {entry['versions']['torch']}" in text
    assert "backward transfer" in text and "remember: zeros" in text
    assert not any(line.startswith("|") and line.count("|") not in (4, 6) for line in text.splitlines())

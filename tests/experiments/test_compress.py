"""Slices of the recorded results of chapters 11 and 12, made again. Times are not compared: they are the machine's."""

import pytest

from lllcourse.compression import dense
from lllcourse.results import recorded
from tools import results

from ..proofs import records
from .harness import experiment


def alike(now, before, within=0.03):
    """Counts are equal; accuracies may differ a little on another processor."""
    for what, value in now.items():
        if what in ("validation", "accuracy"):
            assert value == pytest.approx(before[what], abs=within), what
        else:
            assert value == before[what], what


def test_the_smallest_networks_come_out_again():
    module, old = experiment("sizes")
    again = module.run(0, [3, 30], module.SETTINGS["network"])
    for width, facts in again.items():
        alike(facts, old[width], within=0.1 if width == "3" else 0.03)


def test_the_dense_row_of_the_running_table_comes_out_again():
    module, old = experiment("compress/dense")
    name = "LeNet-300-100"
    alike(module.run(0, [name])[name]["dense"], old[name]["dense"])


@pytest.mark.prove(on=records("compress/pruned"))
def test_the_pruned_rows_come_out_again():
    module, old = experiment("compress/pruned")
    name = "LeNet-300-100"
    again = module.run(0, **module.SETTINGS | {"networks": [name]})[name]
    for row, facts in again.items():
        alike(facts, old[name][row])


def test_the_running_table_has_every_row_for_both_networks():
    runs = recorded("compress")["runs"]
    assert set(runs[0]) == set(dense.TRAINING)
    for run in runs:
        for name, rows in run.items():
            assert "dense" in rows
            for row, facts in rows.items():
                assert {"parameters", "nonzero", "bytes", "macs", "accuracy"} <= set(facts), (name, row)
                assert facts["nonzero"] <= facts["parameters"]


@pytest.mark.prove(on=records("pruning"))
def test_a_slice_of_pruning_comes_out_again():
    module, old = experiment("pruning")
    again = module.run(0, **module.SETTINGS | {"sparsities": [0.9], "shares": [0.5]})
    for way in ("magnitude, at once", "magnitude", "magnitude, step by step", "b w^2", "units by magnitude, at once"):
        ((share, facts),) = again[way].items()
        alike(facts, old[way][share])


def test_latency_is_recorded_for_every_form_beside_the_dense_network():
    record, module = recorded("latency"), results.load("latency")
    for run in record["runs"]:
        assert run["machine"]
        for name in dense.TRAINING:
            assert set(run[name]) == set(module.forms(name, 0, *list(module.SETTINGS.values())[:2]))
            assert all(set(found.values()) == {1} for found in run[name]["dense"].values())

"""A slice of the recorded table of Part I, made again: one option of some methods of each family."""

import pytest

from experiments.scenarios import _table
from lllcourse.results import recorded

from ..proofs import records
from .harness import experiment


def comes_out_again(again, old):
    """The bounds leave room for another processor, on which a run may differ a little."""
    found = 0
    for scenario, methods in again.items():
        for name, by_option in methods.items():
            for option, now in by_option.items():
                before = old[scenario][name][option]
                for fact in ("validation", "accuracy", "backward_transfer"):
                    assert now[fact] == pytest.approx(before[fact], abs=0.03)
                assert now["storage"] == before["storage"]
                found += 1
    return found


def test_a_slice_of_the_anchored_methods_comes_out_again():
    module, old = experiment("scenarios/anchored")
    (again,) = module.run_seeds([0], **module.SETTINGS | {"lams": {"EWC": [1000]}})
    assert comes_out_again(again, old) == 3


def of_one_method(family, name, monkeypatch):
    """How many numbers of a family come out again, of one method with its first option."""
    module, old = experiment(f"scenarios/{family}")

    def only_one(makers, options, *rest):
        few = {key: values[:1] for key, values in options.items()}
        return _table.table({k: make for k, make in makers.items() if k == name}, few, *rest)

    monkeypatch.setattr(module, "table", only_one)
    return comes_out_again(module.run(0, **module.SETTINGS), old)


def test_a_slice_of_the_growing_networks_comes_out_again(monkeypatch):
    assert of_one_method("growing", "PackNet", monkeypatch) == 1


@pytest.mark.prove(on=records("scenarios/rehearsal"))
def test_a_slice_of_rehearsal_comes_out_again(monkeypatch):
    for method in ("replay", "GEM", "LwF"):
        assert of_one_method("rehearsal", method, monkeypatch) == 3


@pytest.mark.prove(on=records("scenarios/bounds"))
def test_the_bounds_come_out_again():
    module, old = experiment("scenarios/bounds")
    assert comes_out_again(module.run(0, **module.SETTINGS), old) == 7


def test_the_families_are_read_as_one_table():
    run = recorded("scenarios")["runs"][0]
    assert {"EWC", "replay", "joint training", "fine-tuning"} <= {*run["class"]}
    assert {"PackNet", "separate networks"} <= {*run["task"]}

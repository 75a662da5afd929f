"""A slice of what chapter 09 recorded where classes are added, made again."""

import pytest

from lllcourse.results import best_setting, recorded

from ..proofs import records
from .harness import experiment


def comes_out_again(now, old):
    """The bounds leave room for another processor, on which a run may differ a little."""
    for fact in ("all", "own"):
        assert now[fact] == pytest.approx(old[fact], abs=0.03)


def test_the_strengths_are_those_that_validation_chose_where_the_task_is_told():
    chosen = {name: float(best_setting(recorded("scenarios"), "task", name)) for name in ("EWC", "LwF")}
    module, _ = experiment("classes")
    assert chosen == module.SETTINGS["strengths"]


def test_training_the_pairs_apart_is_training_as_if_the_task_were_told():
    for told, run in zip(recorded("scenarios")["runs"], recorded("classes")["runs"], strict=True):
        there = told["task"]["fine-tuning"][""]["accuracy"]
        assert run["apart"]["fine-tuning"]["own"] == pytest.approx(there, abs=0.03)


@pytest.mark.prove(on=records("classes"))
def test_a_slice_of_the_added_classes_comes_out_again():
    module, old = experiment("classes")
    again = module.run(0, **module.SETTINGS | {"memories": [200], "random": [200]})
    for part in ("asked", "apart"):
        for name, now in again[part].items():
            comes_out_again(now, old[part][name])
    for name, now in again["memory"].items():
        comes_out_again(now["200"], old["memory"][name]["200"])

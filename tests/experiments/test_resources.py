"""A slice of the recorded comparison of methods that allocate resources, made again."""

import pytest

from tools import results

from ..proofs import records
from .harness import experiment

SLICE = {"T": 2, "keeps": [0.25, 0.5], "lams": [], "many": 2}
SLICE |= {"cpg_keeps": [0.25], "target": 0.0}


@pytest.mark.prove(on=records("resources"))
def test_a_slice_of_the_resources_comes_out_again():
    """The first two tasks do not depend on those that follow. On another processor a run may differ a little."""
    module, old = experiment("resources")
    again = module.run(0, **module.SETTINGS | SLICE)
    again, old = (run | {"PackNet 0.5": run["PackNet"]["0.5"]} for run in (again, old))
    for name in ("separate", "separate, small", "progressive", "PackNet 0.5"):
        now, before = again[name], old[name]
        assert now["tasks"] == pytest.approx(before["tasks"][:2], abs=0.02), name
        assert now["backward_transfer"] == before["backward_transfer"] == 0.0
    for net, by_keep in again["many"].items():
        for keep, accuracies in by_keep.items():
            assert accuracies == pytest.approx(old["many"][net][keep][:2], abs=0.02)


@pytest.mark.prove(on=records("resources"))
def test_the_random_masks_are_as_dense_as_the_learned_ones(monkeypatch):
    module = results.load("resources")
    few = {"T": 2, "many": 1, "epochs": 1, "again": 0, "keeps": [0.25, 0.5]}
    seen = []

    class Watched(module.RandomPicks):
        def after_task(self, model, task, active):
            super().after_task(model, task, active)
            if self.learned == 2:
                seen.append(module.shares_of(self))

    monkeypatch.setattr(module, "RandomPicks", Watched)
    run = module.run(0, **module.SETTINGS | few | {"lams": [], "target": 0.0})
    (drawn,) = seen
    for name, share in run["picked"][0].items():
        assert drawn[0][name] == pytest.approx(share, abs=0.1), name

"""Slices of the recorded results of chapter 18, made again, and what the record of exits says twice."""

import pytest

from lllcourse.data import digits
from lllcourse.results import recorded

from ..proofs import records
from .harness import experiment
from .test_compress import alike


def test_a_network_for_one_setting_comes_out_again():
    module, old = experiment("dynamic/settings")
    again = module.single([2, 4, 8], 2, 0, module.SETTINGS["epochs"])
    alike(again, old["set"]["width 0.25, exit 3"])
    assert module.single([8, 16, 32], 0, 0, 0)["bytes"] == old["set"]["width 1, exit 1"]["bytes"]


def test_the_exits_of_the_single_images_add_up_to_what_is_recorded_of_all():
    run, y = recorded("dynamic/exits")["runs"][0]["plain"], digits().test.y
    labels = run["in full"]["labels"]
    for threshold, leaves in run["in full"]["leaves"].items():
        facts = run["thresholds"][threshold]
        exits = [int(e) - 1 for e in leaves]
        assert [exits.count(k) for k in range(3)] == facts["left"]
        assert sum(run["macs"][k] for k in exits) / len(y) == pytest.approx(facts["macs"])
        right = [int(labels[k][i]) == y[i] for i, k in enumerate(exits)]
        assert sum(right) / len(y) == pytest.approx(facts["accuracy"])
    assert set(run["in full"]["leaves"]["1.01"]) == {"3"}
    assert run["exits"]["3"]["accuracy"] == run["thresholds"]["1.01"]["accuracy"]


def test_the_controller_never_spends_more_than_the_budget():
    record = recorded("dynamic/settings")
    for run in record["runs"]:
        macs = [facts["macs"] for facts in run["adjustable"]["settings"].values()]
        for k, share in zip(run["controller"]["chosen"], record["settings"]["budgets"], strict=True):
            assert macs[k] <= share * max(macs)


@pytest.mark.prove(on=records("dynamic/exits", "dynamic/gates", "dynamic/widths"))
def test_a_slice_of_exits_gates_and_widths_comes_out_again():
    module, old = experiment("dynamic/exits")
    again = module.run(0, **module.SETTINGS | {"networks": ["multi-scale"], "thresholds": [0.8]})["multi-scale"]
    assert again["macs"] == old["multi-scale"]["macs"]
    alike(again["alone"], old["multi-scale"]["alone"])
    for k, facts in again["exits"].items():
        alike(facts, old["multi-scale"]["exits"][k])
    module, old = experiment("dynamic/widths")
    again = module.run(0, **module.SETTINGS)
    for way in ("switchable", "shared", "separate"):
        for width, facts in again[way].items():
            alike(facts, old[way][width], within=0.05)
    module, old = experiment("dynamic/gates")
    alike(module.run(0, **module.SETTINGS | {"prices": []})["plain 2"], old["plain 2"])

"""Slices of the recorded results of chapter 17, made again. Times are not compared: they are the machine's."""

import pytest

from lllcourse.compression.blocks import BLOCKS
from lllcourse.compression.separable import ratio
from lllcourse.results import recorded
from tools import results

from ..compression.test_blocks import by_formula
from ..proofs import records
from .harness import experiment
from .test_compress import alike


def test_cut_layers_come_out_again():
    module, old = experiment("architecture/ranks")
    name = "LeNet-300-100"
    again = module.run(0, **module.SETTINGS | {"ranks": {name: {"layers.0": [4, 64], "layers.1": []}}, "epochs": 0})[
        name
    ]
    alike(again["dense"], old[name]["dense"])
    for layer, tenth in (("layers.0", 21), ("layers.1", 7)):
        assert again[layer]["tenth"] == old[name][layer]["tenth"] == tenth
        for rank in again[layer].keys() - {"tenth", "before"}:
            assert again[layer][rank]["weights"] == old[name][layer][rank]["weights"]
            alike(again[layer][rank]["cut"], old[name][layer][rank]["cut"])


@pytest.mark.prove(on=records("compress/factored"))
def test_the_low_rank_row_of_the_running_table_comes_out_again():
    module, old = experiment("compress/factored")
    name = "LeNet-300-100"
    again = module.run(0, **module.SETTINGS | {"ranks": {name: module.SETTINGS["ranks"][name]}})[name]
    alike(again["low rank"], old[name]["low rank"])


@pytest.mark.prove(on=records("architecture/blocks"))
def test_networks_of_blocks_come_out_again():
    module, old = experiment("architecture/blocks")
    channels = {block: module.SETTINGS["channels"][block] for block in ("plain", "Mobile")}
    for block, facts in module.run(0, **module.SETTINGS | {"channels": channels}).items():
        alike(facts, old[block], within=0.03)


def test_blocks_are_as_wide_as_the_multiplications_of_the_plain_network_allow():
    """By the formulas of their weights, each of which is used at 14 x 14 places and then at 7 x 7."""
    module, old = experiment("architecture/blocks")

    def macs(name, c, d):
        return 196 * (9 * c + by_formula(name, c, c)) + 49 * by_formula(name, c, d) + 10 * d

    budget = macs("plain", 8, 16)
    for name in BLOCKS:
        step = 8 if name in ("Fire", "Shuffle") else 4
        widths = [(c, d) for c in range(step, 33, step) for d in range(c, 2 * c + 1, step)]
        best = max((macs(name, c, d), [c, d]) for c, d in widths if macs(name, c, d) <= budget)
        assert best == (old[name]["macs"], module.SETTINGS["channels"][name]), name


def test_times_are_recorded_for_every_form_beside_the_plain_one_and_multiplications_follow_the_formula():
    record, settings = recorded("architecture/speed"), results.load("architecture/speed").SETTINGS
    batches = [str(n) for n in settings["batch_sizes"]]
    for run in record["runs"]:
        assert run["machine"]
        for c in settings["channels"]:
            forms = run["convolutions"][str(c)]
            assert forms["separable"]["macs"] / forms["plain"]["macs"] == pytest.approx(ratio(c, 3))
            assert all(forms["plain"][n]["median"] == 1 and forms["depthwise"][n]["kernel"] for n in batches)
        for which in ("same", "budget"):
            assert set(run[which]) == set(BLOCKS) and all(run[which]["plain"][n]["median"] == 1 for n in batches)

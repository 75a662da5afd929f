"""A slice of the recorded tickets and small networks of chapter 13, made again."""

import pytest

from lllcourse import training
from lllcourse.compression import dense
from lllcourse.data import digits

from ..proofs import records
from .harness import experiment


def same(now, before):
    """The bound leaves room for another processor, on which a run may differ a little."""
    assert now["accuracy"] == pytest.approx(before["accuracy"], abs=0.03)


@pytest.mark.prove(on=records("tickets/restarts"))
def test_a_slice_of_the_restarts_comes_out_again():
    module, old = experiment("tickets/restarts")
    first = module.SETTINGS["sparsities"][0]
    fewer = {"sparsities": [first], "kinds": {"random": [first]}, "rewound": []}
    fewer["longer"] = {"sparsity": first, "times": 0}  # not the recorded one, and at no cost
    again = module.run(0, **module.SETTINGS | fewer)
    for name in ("dense", "supermask"):
        same(again[name], old[name])
    for name in ("ticket", "random"):
        same(again[name][f"{first:g}"], old[name][f"{first:g}"])
    assert again["supermask"]["share"] == pytest.approx(old["supermask"]["share"], abs=0.005)


@pytest.mark.prove(on=records("tickets/shapes"))
def test_a_slice_of_the_shapes_comes_out_again():
    module, old = experiment("tickets/shapes")
    again = module.run(0, **module.SETTINGS | {"shapes": [[16, 6]]})
    for way, facts in again["16-6"].items():
        if way != "units":  # a network of 16 and 6 units that has lost most of what it knew: a few images decide much
            same(facts, old["16-6"][way])
    assert again["loss"]["300-100"] == pytest.approx(old["loss"]["300-100"], rel=0.05)


def test_the_dense_network_of_the_large_steps_comes_out_again():
    module, old = experiment("tickets/rates")
    model = dense.untrained(module.SETTINGS["network"], 0)
    for part, how in enumerate(module.SETTINGS["large_steps"]):
        dense.train(model, module.SETTINGS["network"], seed=10_000 * part, **how)
    same({"accuracy": training.evaluate(model, digits().test)}, old["large steps"]["dense"])

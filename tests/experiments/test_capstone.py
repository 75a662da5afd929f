"""Slices of the recorded results of chapter 19, made again."""

import pytest

from lllcourse.compression.budget import ROOM
from lllcourse.models import Reader
from lllcourse.tasks.stories import ANSWERS, WORDS, questions

from ..proofs import records
from .harness import experiment
from .test_compress import alike


@pytest.mark.prove(on=records("capstone/budget"))
def test_the_large_network_within_a_budget_comes_out_again():
    module, old = experiment("capstone/budget")
    again = module.run(0, **module.SETTINGS | {"limits": [10_000]})
    for way in ("labels", "taught", "small, taught"):
        now, before = again[way]["10000"], old[way]["10000"]
        for stage in ("pruned", "shared", "tuned", "coded"):
            alike(now[stage], before[stage])
        assert now["bytes"] == pytest.approx(before["bytes"], rel=0.03)


def test_every_file_is_within_its_budget_and_its_parts_add_up():
    module, old = experiment("capstone/budget")
    for limit in module.SETTINGS["limits"]:
        for way in ("labels", "taught", "small, taught"):
            facts = old[way][str(limit)]
            assert facts["bytes"] == sum(facts["stages"]["coded"].values()) <= limit
            if way != "small, taught" or limit < 10_000:  # which fits without being pruned
                assert facts["bytes"] > 0.93 * limit * ROOM


def test_a_memory_of_one_bit_comes_out_again():
    module, old = experiment("capstone/memory")
    again = module.one("class", 0, module.images(16_000, 1), 1, module.SETTINGS["batch"])
    before = old["class"]["16000"]["1"]
    assert (again["images"], again["storage"]) == (before["images"], before["storage"]) == (158, 15_958)
    assert again["accuracy"] == pytest.approx(before["accuracy"], abs=0.03)


def test_every_memory_is_filled_and_within_its_bytes():
    _, old = experiment("capstone/memory")
    for sizes in (old["class"], old["domain"]):
        for size, widths in sizes.items():
            for facts in widths.values():
                each = facts["storage"] / facts["images"]
                assert int(size) - each < facts["storage"] <= int(size)


def test_what_refuses_the_attention_network_refuses_it_in_the_same_words():

    module, old = experiment("capstone/reader")
    model = Reader(len(WORDS), len(ANSWERS))
    assert module.refusals(model, questions(1, stories=10)[0].train.x) == old["refused"]


@pytest.mark.prove(on=records("capstone/reader"))
def test_the_attention_network_comes_out_again():
    module, old = experiment("capstone/reader")
    again = module.run(0, **module.SETTINGS)
    for row, facts in again.items():
        if row != "refused":
            sizes = {what: facts[what] for what in ("parameters", "macs", "validation", "accuracy")}
            alike(sizes, old[row], within=0.05)
            assert facts["bytes"] == pytest.approx(old[row]["bytes"], rel=0.02)

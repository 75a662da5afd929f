"""Slices of the recorded results of chapter 15, made again."""

import pytest

from ..proofs import records
from .harness import experiment
from .test_compress import alike


@pytest.mark.prove(on=records("compress/quantized"))
def test_the_rounded_rows_of_the_running_table_come_out_again():
    module, old = experiment("compress/quantized")
    name = "LeNet-300-100"
    again = module.run(0, **module.SETTINGS | {"networks": [name]})[name]
    assert set(again) == set(old[name])
    for row, facts in again.items():
        alike(facts | {"nonzero": 0}, old[name][row] | {"nonzero": 0})  # a weight near an edge may round to zero or not


def test_four_bits_come_out_again():
    module, old = experiment("quantization/bits")
    name = "LeNet-300-100"
    again = module.run(0, **module.SETTINGS | {"bits": [4], "trained": {name: []}})["bits"][name]
    for way, facts in again["rounded"]["4"].items():
        alike(facts, old["bits"][name]["rounded"]["4"][way])
    alike(again["dense, trained on"], old["bits"][name]["dense, trained on"])


def test_signs_learned_from_a_hundred_images_come_out_again():
    module, old = experiment("quantization/binary")
    again = module.run(0, **module.SETTINGS | {"epochs": {"100": module.SETTINGS["epochs"]["100"]}})["binary"]["100"]
    for kind in ("real", "binary", "new statistics"):
        alike({"accuracy": again[kind]["accuracy"]}, old["binary"]["100"][kind], within=0.05)

"""Slices of the recorded results of chapter 16, made again."""

import pytest

from ..proofs import records
from .harness import experiment
from .test_compress import alike


@pytest.mark.prove(on=records("coding/clusters"))
def test_a_network_of_few_values_comes_out_again():
    module, old = experiment("coding/clusters")
    again = module.run(0, **module.SETTINGS | {"clusters": [4]})
    for way in ("shared", "trained"):
        alike(again["4"][way], old["4"][way])
    assert again["4"]["bytes"] == pytest.approx(old["4"]["bytes"], rel=0.01)


def test_a_pruned_one_comes_out_again():
    module, old = experiment("coding/pipeline")
    again = module.run(0, **module.SETTINGS | {"sparsities": [0.8], "clusters": [8]})["0.8"]
    alike(again["pruned"], old["0.8"]["pruned"])
    alike({"accuracy": again["8"]["accuracy"]}, old["0.8"]["8"])
    assert again["8"]["bytes"] == pytest.approx(old["0.8"]["8"]["bytes"], rel=0.02)


def test_the_stages_of_a_file_add_up_and_codes_lie_between_entropy_and_fixed_length():
    module, old = experiment("compress/coded")
    for facts in (rows["pruned, shared and coded"] for rows in old.values()):
        assert sum(facts["stages"]["coded"].values()) == facts["bytes"]
        for bits in facts["codes"].values():
            assert bits["entropy"] <= bits["huffman"] <= bits["fixed"]
    assert set(module.SETTINGS["sparsities"]) == set(old)

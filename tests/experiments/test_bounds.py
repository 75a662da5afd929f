"""A slice of the recorded costs of chapter 02, made again."""

import pytest

from .harness import experiment


def test_a_slice_of_the_bounds_comes_out_again():
    """Two of the five long tasks, and one poor one of a kind; on another processor a run may differ a little."""
    module, old = experiment("bounds")
    settings = module.SETTINGS
    fewer = {"long": settings["long"] | {"T": 2}, "images": [100], "turns": [20]}
    again = module.run(0, **settings | fewer)
    for pair in ("turned", "permuted"):
        assert again[pair]["100"] == pytest.approx(old[pair]["100"], abs=0.03)
    assert again["both"] == pytest.approx(old["both"], abs=0.03)
    assert again["same"] == pytest.approx(old["same"], abs=0.03)
    for start, scores in again["copies"].items():
        assert scores["20"] == pytest.approx(old["copies"][start]["20"], abs=0.03)
    assert again["separate"]["after"] == pytest.approx(old["separate"]["after"][:2], abs=0.03)
    assert again["separate"]["storage"] == old["separate"]["storage"] / 4 == 4 * 89_610

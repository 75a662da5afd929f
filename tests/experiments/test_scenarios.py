"""A slice of the recorded table of Part I, made again."""

import pytest

from .harness import experiment


def test_a_slice_of_the_scenarios_comes_out_again(monkeypatch):
    """The bounds leave room for another processor, on which a run may differ a little."""
    module, old = experiment("scenarios")
    every = module.makers

    def some(*arguments):
        return {name: every(*arguments)[name] for name in ("EWC", "replay")}

    monkeypatch.setattr(module, "makers", some)
    again = module.run(0, **module.SETTINGS | {"options": {"EWC": [1000]}})
    for scenario, methods in again.items():
        for name, by_option in methods.items():
            for option, now in by_option.items():
                before = old[scenario][name][option]
                for fact in ("validation", "accuracy", "backward_transfer"):
                    assert now[fact] == pytest.approx(before[fact], abs=0.03)
                assert now["storage"] == before["storage"]

"""Every method on networks of every kind: right, or refused in words that say why. Nothing else."""

import re
from functools import cache

import pytest
import torch

from lllcourse.lifelong import L2, Method, learn

from .. import zoo
from .harness import ANCHORED, METHODS, weights

OTHERS = ("GEM", "A-GEM", "replay", "LwF", "generative replay", "PackNet")
NORMED = ("batch norm", "convolution, batch norm")
SHORT = {"epochs": 3, "batch_size": 8, "lr": 0.2}


def run(method, name):
    """The network of this name after two tasks; what its layers draw in training is the same in every run."""
    scenario = "domain" if "domain" in method.scenarios else "task"
    return learn(method, zoo.network(name), zoo.sequence(name), scenario=scenario, **SHORT)


@cache
def fine_tuned(name):
    return run(Method(), name)


@pytest.mark.parametrize("name", zoo.ZOO)
@pytest.mark.parametrize("method", ANCHORED)
def test_lambda_zero_is_fine_tuning_to_the_last_bit(method, name):
    """So measuring draws nothing from the network's own generator, and moves none of its statistics."""
    tuned, tied = fine_tuned(name), run(ANCHORED[method](0.0), name)
    assert torch.equal(tuned.R, tied.R)
    assert torch.equal(weights(tuned.model), weights(tied.model))


@pytest.mark.parametrize("name", zoo.ZOO)
@pytest.mark.parametrize("method", ANCHORED)
def test_a_guard_holds_the_network_back(method, name):
    tuned, tied = fine_tuned(name), run(ANCHORED[method](10.0), name)
    assert weights(tied.model).isfinite().all()
    assert not torch.equal(weights(tuned.model), weights(tied.model))


@pytest.mark.parametrize("name", zoo.ZOO)
def test_lambda_infinity_freezes_the_whole_function_or_is_refused(name):
    if name in NORMED:
        with pytest.raises(ValueError, match="running statistics .* lam=inf does not freeze"):
            run(L2(float("inf")), name)
        return
    once = learn(Method(), zoo.network(name), zoo.sequence(name, T=1), **SHORT)
    twice = run(L2(float("inf")), name)
    assert torch.equal(weights(once.model), weights(twice.model))
    assert torch.equal(twice.R[1], twice.R[2])


REFUSED = {
    **{("PackNet", name): "running statistics .* later tasks would change" for name in NORMED},
    ("PackNet", "weight norm"): "computed from others",
    ("PackNet", "layer not used"): "a.weight has 0 of 36 weights left",
    **{("generative replay", name): "not images of floats" for name, kind in zoo.ZOO.items() if kind.words},
}


@pytest.mark.parametrize("name", zoo.ZOO)
@pytest.mark.parametrize("method", OTHERS)
def test_the_other_methods_take_it_or_say_why_not(method, name):
    if wording := REFUSED.get((method, name)):
        with pytest.raises(ValueError, match=wording):
            run(METHODS[method](), name)
        return
    first, again = (run(METHODS[method](), name) for _ in range(2))
    assert first.R.isfinite().all() and weights(first.model).isfinite().all()
    assert torch.equal(weights(first.model), weights(again.model))
    assert not torch.equal(weights(first.model), weights(fine_tuned(name).model))


def table():
    """The networks against the methods, in words: what the note of a change of this kind shows."""
    for name in zoo.ZOO:
        said = {}
        for method in (*ANCHORED, *OTHERS):
            try:
                run(METHODS[method](), name)
            except ValueError as error:
                said[method] = re.sub(r"\s+", " ", str(error))
        print(f"{name}: " + ("; ".join(f"{m}: {words}" for m, words in said.items()) or "all"))


if __name__ == "__main__":
    table()

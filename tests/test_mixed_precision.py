"""Inside `torch.autocast`, which keeps the first cast of every weight, networks learn all the same (here on a CPU)."""

from dataclasses import replace

import pytest
import torch

from lllcourse import tasks
from lllcourse.data import digits
from lllcourse.lifelong import EWC, ProgressiveMLP, learn, learn_seeds
from lllcourse.lifelong.gem import gradient
from lllcourse.models import MLP, SmallResNet
from lllcourse.per_sample import summed_gradients
from lllcourse.training import evaluate, predict, train

from .lifelong.harness import METHODS, weights

SIZES = (784, 20, 10)
each_precision = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bfloat16", "float16"])


def pairs():
    return [replace(task, train=task.train[:400], test=task.test[:100]) for task in tasks.split()[:2]]


def learned(name, dtype=None):
    method = METHODS[name]()
    model = ProgressiveMLP(*SIZES) if name == "progressive" else MLP(*SIZES)
    with torch.autocast("cpu", dtype, enabled=dtype is not None):
        return learn(method, model, pairs(), scenario=method.scenarios[-1], epochs=2)


@each_precision
@pytest.mark.parametrize("name", METHODS)
def test_every_method_learns_what_it_learns_in_full_precision(name, dtype):
    full, mixed = learned(name), learned(name, dtype)
    assert {theta.dtype for theta in mixed.model.parameters()} == {torch.float32}
    assert not torch.equal(weights(full.model), weights(mixed.model))
    assert (full.R - mixed.R).abs().max() <= 0.05 and full.R[1:].diag().min() > 0.7


@each_precision
@pytest.mark.parametrize("shape", ["MLP", "SmallResNet"])
def test_seeds_at_once_learn_what_they_learn_in_full_precision(shape, dtype):
    def make_model(seed):
        if shape == "MLP":
            return MLP(*SIZES, seed=seed)
        return SmallResNet((4, 8), image=(1, 28, 28), seed=seed)

    def runs():
        return learn_seeds(lambda: EWC(10.0), make_model, lambda seed: pairs(), [0, 1], scenario="task")

    full = runs()
    with torch.autocast("cpu", dtype):
        mixed = runs()
    for a, b in zip(full, mixed, strict=True):
        assert not torch.equal(weights(a.model), weights(b.model))
        assert (a.R - b.R).abs().max() <= 0.05


@each_precision
def test_what_only_looks_at_a_network_computes_in_full_precision(dtype):
    model, split = MLP(*SIZES), digits().test[:200]
    train(model, split, epochs=1)

    def looks():
        yield evaluate(model, split)
        yield predict(model, split.x)
        yield gradient(model, split.x, split.y)
        yield from summed_gradients(model, split.x, lambda outputs: [outputs.softmax(1)], torch.square)
        yield from EWC(1.0).measure(model, tasks.split()[0], None)

    full = list(looks())
    with torch.autocast("cpu", dtype):
        model(split.x)  # from now on torch has casts of the weights
        mixed = list(looks())
    assert all(torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in zip(full, mixed, strict=True))

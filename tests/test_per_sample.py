"""Sizes of single examples' gradients, on networks of every kind, against a backward pass for each example."""

import copy

import pytest
import torch
from torch import nn

from lllcourse import per_sample
from lllcourse.per_sample import summed_gradients

from . import zoo


def brute_force(model, x, cotangents, size):
    """The same sums by one backward pass an example and cotangent, in evaluation mode."""
    model = copy.deepcopy(model).eval().requires_grad_()
    parameters = list(model.parameters())
    total = [torch.zeros_like(p) for p in parameters]
    for n in range(len(x)):
        outputs = model(x[n : n + 1])
        for v in cotangents:
            gradients = torch.autograd.grad(
                outputs, parameters, v[n : n + 1].to(outputs), retain_graph=True, allow_unused=True
            )
            for sum_, g in zip(total, gradients, strict=True):
                sum_ += 0 if g is None else size(g)
    return total


def two_cotangents(n):
    draw = torch.Generator().manual_seed(1)
    return [torch.randn(n, zoo.OUTPUTS, generator=draw) for _ in range(2)]


@pytest.mark.parametrize("size", [torch.square, torch.abs])
@pytest.mark.parametrize("name", zoo.ZOO)
def test_the_sums_are_those_of_single_examples(name, size):
    model, (x, _) = zoo.network(name), zoo.examples(name, 7)
    vs = two_cotangents(7)
    sums = summed_gradients(model, x, lambda outputs: [v.to(outputs) for v in vs], size)
    assert [s.shape for s in sums] == [p.shape for p in model.parameters()]
    for found, right in zip(sums, brute_force(model, x, vs, size), strict=True):
        assert torch.allclose(found, right, rtol=1e-4, atol=1e-6), name


def takes_the_fast_way(name):
    model, (x, _) = zoo.network(name).eval(), zoo.examples(name, 7)
    return per_sample._linear_layers(model, x)[1] is not None


def test_the_fast_way_is_taken_where_it_is_right_and_nowhere_else():
    fast = {name for name in zoo.ZOO if takes_the_fast_way(name)}
    assert fast == {
        "chain", "no bias", "float64", "activation in place", "sum in place", "layer not used", "dropout",
    }  # fmt: skip


def test_few_examples_at_a_time_give_the_same_sums(monkeypatch):
    model, (x, _) = zoo.network("convolution"), zoo.examples("convolution", 7)
    v = two_cotangents(7)
    whole = summed_gradients(model, x, lambda outputs: v)
    monkeypatch.setattr(per_sample, "ROOM", 3 * sum(p.numel() for p in model.parameters()))
    for a, b in zip(whole, summed_gradients(model, x, lambda outputs: v), strict=True):
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-7)


def test_no_hook_stays_where_the_network_fails():
    model = nn.Sequential(nn.Linear(6, 8), nn.Linear(7, 3))
    with pytest.raises(RuntimeError):
        summed_gradients(model, torch.zeros(2, 6), lambda outputs: [outputs])
    assert not any(layer._forward_hooks for layer in model)

"""Binary weights: signs are what is computed with, real weights are what is trained."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from lllcourse import training
from lllcourse.compression import pruning
from lllcourse.compression.binary import (
    Binary,
    Normed,
    binarized,
    clip,
    drawn_sign,
    from_binary,
    renewed,
    sign,
    size_of,
)
from lllcourse.compression.compressed import compressed, load
from lllcourse.compression.packing import unpack
from lllcourse.compression.quantization import quantized
from lllcourse.compression.rounding import coded, rounded, rounded_in, weight_of
from lllcourse.data import Split
from lllcourse.models import MLP

from .. import looking
from ..looking import same
from .zoo import ZOO, network

each_network = pytest.mark.parametrize("name", ZOO)
each_kind = pytest.mark.parametrize("how", [{}, {"scaled": True}, {"stochastic": True}], ids=str)


def refused(message):
    return pytest.raises(ValueError, match=re.escape(message))


def test_weights_become_their_signs_and_zero_becomes_one():
    assert sign(torch.tensor([-0.3, -0.0, 0.0, 1e-30, 5.0])).tolist() == [-1, 1, 1, 1, 1]
    w = torch.tensor([[-0.5, 1.5], [0.25, 0.25], [0.0, 0.0]])
    assert size_of(w).tolist() == [[1.0], [0.25], [1.0]]
    assert Binary(scaled=True)(w, False).tolist() == [[-1.0, 1.0], [0.25, 0.25], [1.0, 1.0]]


def test_the_mean_absolute_weight_is_the_best_scale():
    """Of all a, it has the smallest |w - a sign(w)|^2: in each channel, against a fine grid."""
    w = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    grid = torch.linspace(0, 3, 3001, dtype=torch.float64)
    for row, alpha in zip(w.flatten(1), size_of(w).flatten(), strict=True):
        errors = (row - grid[:, None] * row.sign()).square().sum(1)
        assert grid[errors.argmin()].item() == pytest.approx(alpha.item(), abs=6e-4)


def test_a_sign_is_drawn_with_the_probability_of_the_paper():
    w = torch.tensor([-1.5, -1.0, -0.5, 0.0, 0.8, 1.0, 2.0])
    torch.manual_seed(0)
    drawn = drawn_sign(w.expand(20_000, 7))
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
    share = (drawn > 0).double().mean(0)
    expected = ((w.double() + 1) / 2).clamp(0, 1)
    assert torch.allclose(share, expected, atol=4 * 0.5 / 20_000**0.5)
    assert share[[0, 1]].tolist() == [0, 0] and share[[5, 6]].tolist() == [1, 1]


@given(st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=2), st.sampled_from([{}, {"scaled": True}]))
@settings(deadline=None, max_examples=50)
def test_the_gradient_goes_straight_through(values, how):
    w = torch.tensor([values], requires_grad=True)
    (Binary(**how)(w, True) * torch.tensor([1.0, -7.0])).sum().backward()
    assert w.grad.tolist() == [[1.0, -7.0]]


@each_kind
def test_a_step_on_the_real_weights_is_the_one_of_the_definition(how):
    """The gradient of a plain network that has the binary weights, used on the real ones, which are clipped then."""
    model, x, y = Normed(6, 5, 3), torch.rand(9, 6), torch.arange(9) % 3
    new = binarized(model, **how)
    plain, real = Normed(6, 5, 3), [p.detach().clone() for p in new.parameters()]
    plain.load_state_dict(new.state_dict())
    torch.manual_seed(3)
    loss = F.cross_entropy(new(x), y)
    torch.manual_seed(3)
    with torch.no_grad():
        for one, own in zip(rounded_in(new).values(), pruning.prunable(plain).values(), strict=True):
            own.weight.copy_(weight_of(one))
    loss.backward()
    F.cross_entropy(plain(x), y).backward()
    for a, b, before in zip(new.parameters(), plain.parameters(), real, strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-6)
        assert torch.equal(a, before)


def test_clipping_keeps_real_weights_within_one_and_touches_nothing_else():
    new = binarized(Normed(6, 5, 3))
    before = {n: 100 * p.detach() for n, p in new.named_parameters()}
    with torch.no_grad():
        for p in new.parameters():
            p.mul_(100)
    clip(new)
    weights = {f"{n}.weight" for n in rounded_in(new)}
    for name, p in new.named_parameters():
        expected = before[name].clamp(-1, 1) if name in weights else before[name]
        assert torch.equal(p, expected), name
    plain, four = MLP(6, 5, 3), quantized(MLP(6, 5, 3), 4)
    for net in (plain, four):
        net.layers[0].weight.data.fill_(7)
        clip(net)
        assert (net.layers[0].weight == 7).all()


@each_network
@each_kind
def test_a_network_computes_with_what_its_file_restores(name, how, tmp_path):
    model, x = network(name)
    before = looking.state(model)
    new = binarized(model, **how).eval()
    plain = rounded(new)
    file = compressed(plain, coded(new))
    file.save(tmp_path / "net")
    for net in (plain, file.restore(), load(tmp_path / "net", model).restore()):
        assert torch.equal(net.eval()(x), new(x))
        assert same(net.state_dict(), plain.state_dict())
    for layer in pruning.prunable(plain).values():
        assert all(len(row.unique()) <= 2 for row in layer.weight.flatten(1))
        if not how.get("scaled"):
            assert set(layer.weight.unique().tolist()) <= {-1.0, 1.0}
    assert same(before, looking.state(model))
    for key, value in new.state_dict().items():
        own = before["tensors"][key]
        if how.get("stochastic") and f"{key.removesuffix('.weight')}" in rounded_in(new):
            assert value.abs().max() == 1 and torch.allclose(value * own.abs().max(), own)
        else:
            assert torch.equal(value, own)


@each_kind
def test_the_bytes_are_a_bit_a_weight_and_the_scales(how):
    model, _ = network("MLP")
    new = binarized(model, **how)
    file = compressed(rounded(new), coded(new))
    channels = [9, 8, 4] if how.get("scaled") else [1, 1, 1]
    signs = sum(-(-n // 8) for n in (108, 72, 32))
    expected = {"signs": signs, "scales": 4 * sum(channels), "values": 4 * 21}
    assert {k: v for k, v in file.parts.items() if k != "header"} == expected
    assert file.bytes == sum(file.parts.values()) and new.report.after == signs + 4 * sum(channels)


@pytest.mark.parametrize("optimizer", training.OPTIMIZERS)
@each_kind
def test_the_loop_of_the_course_trains_it_and_draws_from_its_seed(optimizer, how):
    y = torch.arange(60) % 4
    x = torch.eye(12)[y] + 0.2 * torch.rand(60, 12, generator=torch.Generator().manual_seed(0))
    split, state, made = Split(x, y), torch.get_rng_state(), []
    step = {"lr": 0.5 if optimizer == "sgd" else 0.05, "after_step": clip}
    for seed in (0, 0, 1):
        new = binarized(Normed(12, 20, 4, seed=0), **how)
        start = [sign(layer.weight).clone() for layer in rounded_in(new).values()]
        training.train(new, split, epochs=12, batch_size=10, optimizer=optimizer, seed=seed, **step)
        made.append(new)
    assert same(made[0].state_dict(), made[1].state_dict())
    assert not same(made[0].state_dict(), made[2].state_dict())
    assert torch.equal(state, torch.get_rng_state())
    layers = rounded_in(made[0]).values()
    assert all(layer.weight.abs().max() <= 1 for layer in layers)
    assert any(not torch.equal(sign(layer.weight), was) for layer, was in zip(layers, start, strict=True))
    assert training.evaluate(made[0], split) > 0.8


def test_evaluation_draws_nothing():
    new, x = binarized(Normed(12, 9, 4), stochastic=True).eval(), torch.rand(5, 12)
    state = torch.get_rng_state()
    assert torch.equal(new(x), new(x)) and torch.equal(new(x), rounded(new)(x))
    assert torch.equal(state, torch.get_rng_state())
    new.train()
    assert not torch.equal(new(x), new(x))


def test_new_statistics_are_those_of_the_examples():
    net, x = Normed(12, 9, 4, seed=1), torch.rand(50, 12)
    with torch.no_grad():
        net(torch.rand(8, 12))
    before = looking.state(net)
    new = renewed(net, x)
    assert same(before, looking.state(net))
    z = x @ net[1].weight.T
    assert torch.allclose(new[2].running_mean, z.mean(0)) and torch.allclose(new[2].running_var, z.var(0))
    torch.testing.assert_close(new.eval()(x), net.train()(x), rtol=0.05, atol=0.05)
    assert [m.momentum for m in new if isinstance(m, nn.BatchNorm1d)] == [0.1, 0.1] and new[2].training is False
    with refused("model has no batch norm, and no statistics to renew"):
        renewed(MLP(12, 9, 4), x)


def test_it_computes_without_data():
    for how in ({}, {"scaled": True}, {"stochastic": True}):
        new = binarized(MLP(12, 9, 4), **how).to("meta")
        new(torch.zeros(5, 12, device="meta")).sum().backward()
        assert new.layers[0].weight.grad.is_meta


def test_the_normed_network_has_batch_norm_after_every_layer_and_its_weights_from_the_seed():
    net = Normed(784, 30, 10, seed=3)
    assert net.eval()(torch.rand(4, 1, 28, 28)).shape == (4, 10)
    assert [type(m) for m in net] == [
        nn.Flatten,
        *(nn.Linear, nn.BatchNorm1d, nn.ReLU),
        *(nn.Linear, nn.BatchNorm1d),
    ]
    assert same(net.state_dict(), Normed(784, 30, 10, seed=3).state_dict())
    assert not torch.equal(net[1].weight, Normed(784, 30, 10, seed=4)[1].weight)


# --- what is refused ----------------------------------------------------------------------------------------------


def test_what_cannot_be_right_is_refused():
    with refused("scaled and stochastic are both True"):
        binarized(MLP(4, 8, 2), scaled=True, stochastic=True)
    with refused("model has masks, and a weight that was set to zero has no sign"):
        binarized(pruning.prune(MLP(4, 8, 2), 0.5))
    with refused("the weights of model are rounded already"):
        binarized(binarized(MLP(4, 8, 2)))
    with refused("Normed(5,): give at least the width of the input and of the output"):
        Normed(5)


@pytest.mark.parametrize(
    "change",
    [{"scales": b""}, {"scales": bytes(4)}, {"scales": bytes(12)}, {"signs": b"\0"}, {"signs": b"\0\0\0"}],
)
def test_parts_that_no_coder_wrote_are_refused(change):
    good = Binary(scaled=True).coded(torch.ones(5, 3)).parts
    assert torch.equal(from_binary(good, (5, 3), torch.float32), torch.ones(5, 3))
    assert unpack(good["signs"], 1, 15).tolist() == [1] * 15
    with pytest.raises(ValueError):
        from_binary(good | change, (5, 3), torch.float32)
    with pytest.raises(ValueError, match="the bits that fill up its last byte are not 0"):
        from_binary(good | {"signs": b"\xff\xff"}, (5, 3), torch.float32)

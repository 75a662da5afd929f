"""Quantisation: no weight moves by more than half a step, zeros stay zero, and codes restore what was computed with."""

import copy
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from lllcourse import training
from lllcourse.compression import pruning
from lllcourse.compression.compressed import compressed, load
from lllcourse.compression.footprint import size
from lllcourse.compression.packing import unpack
from lllcourse.compression.quantization import (
    Affine,
    dequantize,
    fake_quantize,
    from_affine,
    quantize,
    quantized,
    scale_and_zero_point,
)
from lllcourse.compression.rounding import coded, rounded, rounded_in, straight_through, weight_of
from lllcourse.data import Split
from lllcourse.models import MLP

from .. import looking
from ..looking import same
from .zoo import ZOO, network

each_network = pytest.mark.parametrize("name", ZOO)
each_way = pytest.mark.parametrize("how", [{"per_channel": c, "symmetric": s} for c in (0, 1) for s in (0, 1)], ids=str)
each_width = pytest.mark.parametrize("bits", range(2, 9))


def refused(message):
    return pytest.raises(ValueError, match=re.escape(message))


def some(seed, *shape, shift=0.3, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) + shift


# --- the formula --------------------------------------------------------------------------------------------------


def test_the_values_are_those_computed_by_hand():
    w = torch.tensor([[-0.5, 0.0, 0.4, 1.0]])
    scale, zero_point = scale_and_zero_point(w, 2)
    assert (scale.item(), zero_point.item()) == (0.5, 1)
    codes = quantize(w, scale, zero_point, 2)
    assert codes.dtype == torch.uint8 and codes.tolist() == [[0, 1, 2, 3]]
    assert dequantize(codes, scale, zero_point).tolist() == [[-0.5, 0.0, 0.5, 1.0]]
    scale, zero_point = scale_and_zero_point(w, 2, symmetric=True)
    assert (scale.item(), zero_point.item()) == (1.0, 1)
    assert quantize(w, scale, zero_point, 2).tolist() == [[1, 1, 1, 2]]  # of equals the even one: -0.5 is 0


@given(
    st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=24),
    st.integers(2, 8),
    st.booleans(),
    st.booleans(),
    st.sampled_from([torch.float32, torch.float64]),
)
@settings(deadline=None, max_examples=200)
def test_no_weight_moves_by_more_than_half_a_step(values, bits, per_channel, symmetric, dtype):
    w = torch.tensor(values, dtype=dtype)
    w = w[: len(w) // 2 * 2].view(2, -1) if len(w) > 1 else w[None]
    scale, zero_point = scale_and_zero_point(w, bits, per_channel=per_channel, symmetric=symmetric)
    codes = quantize(w, scale, zero_point, bits)
    error = (dequantize(codes, scale, zero_point) - w).abs()
    assert (error <= 0.5 * scale * (1 + 1e-4)).all()
    assert ((0 <= zero_point) & (zero_point < 2**bits)).all()
    assert not dequantize(codes, scale, zero_point)[w == 0].any()
    if symmetric:
        assert (zero_point == 2 ** (bits - 1) - 1).all()
        mirrored = quantize(-w, scale, zero_point, bits)
        assert torch.equal(dequantize(mirrored, scale, zero_point), -dequantize(codes, scale, zero_point))


@each_width
@pytest.mark.parametrize("symmetric", [False, True])
def test_the_range_is_that_of_the_weights(bits, symmetric):
    w = some(bits, 50, 20)
    scale, zero_point = scale_and_zero_point(w, bits, symmetric=symmetric)
    codes = quantize(w, scale, zero_point, bits)
    if symmetric:
        assert scale.item() == pytest.approx(w.abs().max().item() / (2 ** (bits - 1) - 1))
        assert codes.max() == 2**bits - 2
    else:
        assert scale.item() == pytest.approx((w.max() - w.min()).item() / (2**bits - 1))
        assert codes.min() == 0 and codes.max() >= 2**bits - 2  # zero takes the place of one of the ends
    one_sided = quantize(w.abs(), *scale_and_zero_point(w.abs(), bits), bits)
    assert scale_and_zero_point(w.abs(), bits)[1].item() == 0 and one_sided.max() == 2**bits - 1


@each_width
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("power", [True, False])
def test_value_and_gradient_are_those_of_torch(bits, per_channel, power):
    """On the same scale and zero point, with weights outside the range too. torch multiplies by 1 / scale, so weights
    next to the middle of two values may go to the other one, unless the scale is a power of two.
    """
    w = some(bits, 12, 5, 3).requires_grad_()
    scale = torch.tensor([0.25, 0.125, 0.5] * 4 if power else [0.07, 0.13, 0.3] * 4)
    zero_point = torch.arange(12).int() % 2**bits
    if not per_channel:
        scale, zero_point = scale[:1], zero_point[1:2]
        theirs = torch.fake_quantize_per_tensor_affine(w, scale[0], zero_point[0], 0, 2**bits - 1)
    else:
        theirs = torch.fake_quantize_per_channel_affine(w, scale, zero_point, 0, 0, 2**bits - 1)
    shape = (-1, 1, 1)
    ours = fake_quantize(w, scale.view(shape), zero_point.view(shape), bits)
    weights = some(99, 12, 5, 3)
    (expected,) = torch.autograd.grad((weights * theirs).sum(), w)
    (got,) = torch.autograd.grad((weights * ours).sum(), w)
    differ = (ours - theirs).abs() > 1e-5
    if power:
        assert torch.equal(ours, theirs) and torch.equal(got, expected)
    assert differ.double().mean() < 0.01 and torch.equal(got, expected)
    assert 0 < (got == 0).double().mean() < 0.9


def test_the_gradient_is_one_inside_the_range_and_zero_outside():
    w = torch.linspace(-2, 2, 41, dtype=torch.float64).requires_grad_()
    scale, zero_point = torch.tensor(0.5, dtype=torch.float64), torch.tensor(1)  # -0.5, 0, 0.5, 1
    fake_quantize(w, scale, zero_point, 2).sum().backward()
    assert torch.equal(w.grad.bool(), (w >= -0.75 - 1e-9) & (w <= 1.25 + 1e-9))
    assert set(w.grad.tolist()) == {0.0, 1.0}


@given(st.floats(-1e5, 1e5, width=32), st.floats(-1e5, 1e5, width=32))
def test_straight_through_gives_the_value_to_the_last_bit(value, w):
    value, w = torch.tensor([value]), torch.tensor([w], requires_grad=True)
    result = straight_through(value, w)
    result.backward()
    assert torch.equal(result, value) and w.grad.item() == 1


@each_width
def test_a_constant_tensor_is_reproduced(bits):
    for c in (0.0, 0.37, -0.37, 1e-44, -3e38):
        w = torch.full((3, 4), c)
        for how in ({}, {"symmetric": True}, {"per_channel": True}):
            got = fake_quantize(w, *scale_and_zero_point(w, bits, **how), bits)
            assert torch.allclose(got, w, rtol=1e-6)


# --- networks -----------------------------------------------------------------------------------------------------


@each_network
@each_way
@pytest.mark.parametrize("bits", [2, 3])
def test_a_network_computes_with_what_its_file_restores(name, how, bits, tmp_path):
    model, x = network(name)
    if bits == 3:
        model = pruning.prune(model, 0.4, per_layer=True)
    new = quantized(model, bits, **how).eval()
    plain = rounded(new)
    file = compressed(plain, coded(new))
    assert torch.equal(plain(x), new(x))
    file.save(tmp_path / "net")
    for restored in (file.restore(), load(tmp_path / "net", pruning.without_masks(model)).restore()):
        assert torch.equal(restored(x), new(x))
        assert same(restored.state_dict(), pruning.without_masks(plain).state_dict())
    for layer in rounded_in(new).values():
        rows = weight_of(layer).flatten(1) if how["per_channel"] else weight_of(layer).reshape(1, -1)
        assert max(len(row.unique()) for row in rows) <= 2**bits - how["symmetric"]


@each_network
def test_every_other_tensor_is_as_it_was_and_so_is_what_is_given(name):
    model, _ = network(name)
    before = looking.state(model)
    new = quantized(model, 4, per_channel=True)
    plain, codes = rounded(new), coded(new)
    assert same(before, looking.state(model))
    assert same(model.state_dict(), new.state_dict())  # float weights are kept
    layers = {f"{n}.weight" for n in pruning.prunable(model)}
    assert set(codes) == layers
    for key, value in plain.state_dict().items():
        assert torch.equal(value, before["tensors"][key]) == (key not in layers), key
    assert [type(m) for m in plain.modules()] == [type(m) for m in model.modules()]
    assert not any(hasattr(m, "rule") for m in plain.modules())


@each_way
def test_the_bytes_are_the_sum_of_their_parts(how):
    model, _ = network("MLP")
    new = quantized(model, 3, **how)
    file = compressed(rounded(new), coded(new))
    weights, channels = [108, 72, 32], [9, 8, 4] if how["per_channel"] else [1, 1, 1]
    expected = {
        "bits": 3,
        "scales": 4 * sum(channels),
        "zero points": 0 if how["symmetric"] else sum(-(-3 * c // 8) for c in channels),
        "codes": sum(-(-3 * n // 8) for n in weights),
        "values": 4 * 21,
    }
    assert {k: v for k, v in file.parts.items() if k != "header"} == expected
    assert file.bytes == sum(file.parts.values())
    assert new.report.before == 4 * 212
    assert new.report.after == sum(v for k, v in expected.items() if k != "values")


def test_codes_of_the_file_are_the_codes_of_the_formula():
    w = some(0, 7, 5)
    parts = Affine(3, per_channel=True).coded(w).parts
    scale, zero_point = scale_and_zero_point(w, 3, per_channel=True)
    assert torch.equal(unpack(parts["codes"], 3, 35).view(7, 5), quantize(w, scale, zero_point, 3).long())
    assert torch.equal(unpack(parts["zero points"], 3, 7), zero_point.flatten().long())


def test_a_network_in_double_precision_comes_back_in_it():
    model = MLP(12, 9, 4).double()
    new = quantized(model, 4)
    restored = compressed(rounded(new), coded(new)).restore()
    assert same(restored.state_dict(), rounded(new).state_dict()) and restored.layers[0].weight.dtype == torch.float64


def test_a_single_layer_is_a_network():
    new = quantized(nn.Linear(30, 4, bias=False), 2)
    assert list(coded(new)) == ["weight"]
    x = torch.rand(5, 30)
    assert torch.equal(compressed(rounded(new), coded(new)).restore()(x), new(x))


def test_a_footprint_can_be_taken():
    model, x = network("LeNet5")
    new = quantized(model, 4)
    assert size(new, x)["macs"] == size(rounded(new), x)["macs"] == size(model, x)["macs"]


def test_it_computes_without_data():
    """On the device that has shapes and no numbers: the weights live where the model lives."""
    new = quantized(MLP(12, 9, 4), 3, per_channel=True).to("meta")
    loss = new(torch.zeros(5, 12, device="meta")).sum()
    loss.backward()
    assert new.layers[0].weight.grad.is_meta


# --- training -----------------------------------------------------------------------------------------------------

OPTIMIZERS = {
    "descent": lambda p: training.OPTIMIZERS["sgd"](p, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.1),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
}


@each_way
def test_a_step_on_the_float_weights_is_the_one_of_the_definition(how):
    """The gradient of a plain network that has the rounded weights, used on the float ones."""
    model, x = network("MLP")
    y = torch.arange(12) % 4
    new = quantized(model, 3, **how)
    plain = rounded(new)
    for net in (new, plain):
        F.cross_entropy(net(x), y).backward()
    for a, b in zip(new.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-7)
    assert same(new.state_dict(), model.state_dict())


@each_network
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("symmetric", [False, True])
def test_pruned_zeros_stay_zero_while_the_rest_is_trained(name, optimizer, symmetric):
    model, x = network(name)
    pruned = pruning.prune(model, 0.6, per_layer=True)
    masks = pruning.mask_in(pruned)
    new = quantized(pruned, 3, per_channel=True, symmetric=symmetric)
    run = OPTIMIZERS[optimizer](new.parameters())
    start = [layer.weight.detach().clone() for layer in rounded_in(new).values()]
    for _ in range(3):
        run.zero_grad()
        F.cross_entropy(new(x), torch.arange(len(x)) % 3).backward()
        with torch.no_grad():
            run.step()
    for (layer, was), mask in zip(zip(rounded_in(new).values(), start, strict=True), masks.values(), strict=True):
        assert not layer.weight[~mask].any() and not weight_of(layer)[~mask].any()
        assert not torch.equal(layer.weight, was)
    back = rounded(new)
    assert [type(m) for m in back.modules()] == [type(m) for m in pruned.modules()]
    assert same(pruning.mask_in(back), masks)
    again = pruning.prune(back, 0.7, per_layer=True)  # it can be pruned on
    assert again.report.after < again.report.before


@pytest.mark.parametrize("optimizer", training.OPTIMIZERS)
def test_the_loop_of_the_course_trains_it(optimizer):
    model, x = network("LeNet5")
    new = quantized(model, 2, per_channel=True)
    split = Split(x, torch.arange(12) % 4)
    losses = training.train(new, split, epochs=8, optimizer=optimizer, lr=0.01)
    assert losses[-1] < losses[0]
    fresh = quantized(ZOO["LeNet5"][0](5), 2, per_channel=True)
    fresh.load_state_dict(new.state_dict())
    assert torch.equal(fresh.eval()(x), new.eval()(x))


def test_a_frozen_layer_stays_frozen():
    model = MLP(12, 9, 4)
    model.layers[0].requires_grad_(False)
    new = quantized(model, 4)
    assert [p.requires_grad for p in new.parameters()] == [False, False, True, True]
    assert not rounded(new).layers[0].weight.requires_grad


@pytest.mark.parametrize("seed", [20, 21])
def test_two_bits_are_learned_that_rounding_alone_does_not_give(seed):
    """On seeds 20 to 25 rounding alone gave .10 to .50, training .76 to .93."""
    blobs = torch.Generator().manual_seed(seed)
    y = torch.arange(300) % 10
    x = torch.randn(10, 20, generator=blobs)[y] + 0.8 * torch.randn(300, 20, generator=blobs)
    split, model = Split(x, y), MLP(20, 40, 10, seed=seed)
    training.train(model, split, epochs=20, lr=0.1)
    new = quantized(model, 2, symmetric=True)
    alone = training.evaluate(new, split)
    training.train(new, split, epochs=20, lr=0.03)
    assert training.evaluate(new, split) > alone + 0.1


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [0, 1, 9, 32, -3])
def test_other_numbers_of_bits_are_refused(bits):
    for call in (lambda: quantized(MLP(4, 8, 2), bits), lambda: scale_and_zero_point(torch.ones(3), bits)):
        with refused(f"bits is {bits}; it must be from 2 to 8 (one bit, the sign, is `binary.binarized`)"):
            call()


@pytest.mark.parametrize("bits", [2.5, "4", True, None])
def test_bits_must_be_a_whole_number(bits):
    with pytest.raises(ValueError, match="bits is .*; it must be a whole number"):
        quantized(MLP(4, 8, 2), bits)


def test_nothing_and_channels_that_are_not_there_are_refused():
    with refused("w has the shape (0, 3): there is nothing to quantise"):
        scale_and_zero_point(torch.zeros(0, 3), 4)
    with refused("w has the shape (5,), and no channels: take per_channel=False"):
        scale_and_zero_point(torch.ones(5), 4, per_channel=True)
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    model[1].weight = nn.Parameter(torch.zeros(2, 0))
    with refused("1 has weights of shape (2, 0): there is nothing to round"):
        quantized(model, 4)


def test_weights_that_are_not_finite_are_refused():
    model = MLP(4, 8, 2)
    model.layers[1].weight.data[0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"the weight of layers.1 has values that are not finite"):
        quantized(model, 4)
    with pytest.raises(ValueError, match=r"w has values that are not finite"):
        quantize(torch.tensor([torch.inf]), torch.tensor(1.0), torch.tensor(0), 4)


def test_rounding_twice_and_rounding_nothing_are_refused():
    model = quantized(MLP(4, 8, 2), 4)
    with refused("the weights of model are rounded already; give the network as it was before"):
        quantized(model, 2)
    for look in (rounded, coded):
        with refused("model has no rounded weights: quantise it first"):
            look(MLP(4, 8, 2))
    with refused("nothing was removed: all 8 bytes are still there"):
        quantized(nn.Linear(1, 2), 8, per_channel=True)


def test_shared_weights_are_refused():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    with refused("0 shares its weight with another layer"):
        quantized(model, 4)


def bad_parts():
    good = Affine(3, per_channel=True).coded(some(0, 5, 3)).parts
    nan = torch.tensor([torch.nan]).numpy().tobytes()
    yield "no bits", {"bits": b""}
    yield "nine bits", {"bits": b"\x09"}
    yield "one bit", {"bits": b"\x01"}
    yield "two scales", {"scales": good["scales"][:8]}
    yield "half a scale", {"scales": good["scales"][:-1]}
    yield "no scale", {"scales": b""}
    yield "no number", {"scales": nan * 5}
    yield "below zero", {"scales": torch.full((5,), -1.0).numpy().tobytes()}
    yield "too large", {"scales": torch.full((5,), 3e38).numpy().tobytes()}
    yield "zero points cut", {"zero points": good["zero points"][:-1]}
    yield "codes cut", {"codes": good["codes"][:-1]}
    yield "codes added", {"codes": good["codes"] + b"\0"}
    yield "last byte", {"codes": good["codes"][:-1] + bytes([good["codes"][-1] | 1])}


@pytest.mark.parametrize("change", [c for _, c in bad_parts()], ids=[n for n, _ in bad_parts()])
def test_parts_that_no_coder_wrote_are_refused(change):
    good = Affine(3, per_channel=True).coded(some(0, 5, 3)).parts
    assert from_affine(good, (5, 3), torch.float32).shape == (5, 3)
    with pytest.raises(ValueError):
        from_affine(good | change, (5, 3), torch.float32)


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_damaged_parts_are_refused_or_some_tensor_of_that_shape(data):
    good = Affine(data.draw(st.integers(2, 8)), symmetric=data.draw(st.booleans())).coded(some(1, 3, 5)).parts
    parts = copy.deepcopy(good)
    name = data.draw(st.sampled_from(sorted(parts)))
    parts[name] = data.draw(st.binary(max_size=len(parts[name]) + 2))
    try:
        value = from_affine(parts, (3, 5), torch.float32)
    except ValueError:
        return
    assert value.shape == (3, 5) and value.isfinite().all()

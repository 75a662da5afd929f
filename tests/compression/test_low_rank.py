"""Layers of lower rank, and separable convolutions: nearest in the sum of squares, exact where nothing is lost."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from lllcourse.compression import footprint
from lllcourse.compression.low_rank import factors, low_rank, rank_for_budget, rank_for_energy
from lllcourse.compression.pruning import prune
from lllcourse.compression.separable import Separable, depthwise_separable, full, nearest, ratio, separate
from lllcourse.models import MLP, LeNet5

from ..looking import Net, same, state
from .zoo import ZOO, network


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# --- low rank -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (6, 6)])
def test_what_is_lost_is_the_tail_of_the_singular_values(shape):
    W = draw(*shape)
    values = torch.linalg.svdvals(W)
    for K in range(1, min(shape) + 1):
        U, V = factors(W, K)
        assert (U.shape, V.shape) == ((shape[0], K), (K, shape[1]))
        assert (U @ V - W).square().sum() == pytest.approx(values[K:].square().sum().item(), abs=1e-10)
        assert torch.linalg.matrix_rank(U @ V) == K  # at most K


def test_no_other_product_of_that_rank_is_nearer():
    W = draw(7, 5)
    U, V = factors(W, 2)
    best = (U @ V - W).square().sum()
    U, V = (t.clone().requires_grad_() for t in (draw(7, 2, seed=1), draw(2, 5, seed=2)))
    optimizer = torch.optim.LBFGS([U, V], max_iter=300, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = (U @ V - W).square().sum()
        value.backward()
        return value

    assert optimizer.step(loss) and best <= loss() + 1e-9
    assert loss().item() == pytest.approx(best.item(), rel=1e-3)


def test_a_rank_is_the_smallest_that_holds_the_energy_and_the_largest_in_the_budget():
    W = torch.diag(torch.tensor([3.0, 2.0, 1.0, 0.0]))  # squares 9, 4, 1, 0: shares 9/14, 13/14, 1
    assert [rank_for_energy(W, e) for e in (0.5, 9 / 14, 0.7, 13 / 14, 0.95, 1.0)] == [1, 1, 2, 2, 3, 3]
    assert [rank_for_budget(draw(6, 4), n) for n in (10, 19, 20, 29.9, 1000)] == [1, 1, 2, 2, 4]


@pytest.mark.parametrize("name", ZOO)
def test_at_full_rank_a_network_computes_what_it_did(name):
    model, x = network(name)
    model = model.double().eval()
    # the highest rank that still saves weights loses something; a network whose layers have a low rank loses nothing
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                U, V = factors(layer.weight.flatten(1), 1)
                layer.weight.copy_((U @ V).view_as(layer.weight))
    small = low_rank(model, 1)
    assert torch.allclose(small(x.double()), model(x.double()), atol=1e-10)
    assert small.report.after < small.report.before


def test_weights_and_multiplications_are_those_of_the_formula():
    model, x = MLP(784, 300, 100, 10), torch.rand(2, 784)
    small = low_rank(model, {"layers.0": 16})
    assert small.report.layers == {"layers.0": [784 * 300, 16 * (784 + 300)]}
    counted, before = footprint.size(small, x), footprint.size(model, x)
    saved = 784 * 300 - 16 * (784 + 300)
    assert before["parameters"] - counted["parameters"] == saved == before["macs"] - counted["macs"]


def test_a_convolution_of_low_rank_reads_patches_through_few_channels():
    model, x = LeNet5(), torch.rand(3, 784)
    small = low_rank(model, {"convolutions.1": 4})
    first, last = small.convolutions[1]
    assert first.weight.shape == (4, 8, 5, 5) and last.weight.shape == (16, 4, 1, 1)
    h = torch.rand(3, 8, 12, 12)
    U, V = factors(model.convolutions[1].weight.flatten(1), 4)
    patches = F.unfold(h, 5)  # (3, 200, 64)
    expected = (U @ V @ patches).view(3, 16, 8, 8)
    assert torch.allclose(small.convolutions[1](h), expected, atol=1e-4)
    assert footprint.size(small, x)["macs"] < footprint.size(model, x)["macs"]


def test_energy_and_share_choose_the_rank_of_every_layer():
    model = MLP(40, 30, 20, 5)
    by_share = low_rank(model, share=0.5)
    assert all(after <= before / 2 for before, after in by_share.report.layers.values())
    by_energy = low_rank(model, energy=0.6)
    for name in by_energy.report.layers:
        W = model.get_submodule(name).weight
        K = by_energy.get_submodule(name)[0].out_features
        values = torch.linalg.svdvals(W).square()
        assert values[:K].sum() >= 0.6 * values.sum() > values[: K - 1].sum()


def test_padding_stride_and_dilation_stay():
    conv = nn.Conv2d(6, 10, 3, stride=2, padding=1, dilation=1).double()
    U, V = factors(conv.weight.detach().flatten(1), 2)
    with torch.no_grad():
        conv.weight.copy_((U @ V).view_as(conv.weight))
    model, x = nn.Sequential(conv, nn.ReLU()), draw(2, 6, 9, 9)
    assert torch.allclose(low_rank(model, 2)(x), model(x), atol=1e-10)


# --- separable ----------------------------------------------------------------------------------------------------


def test_the_lectures_example_has_72_weights_and_26():
    standard, taken_apart = nn.Conv2d(2, 4, 3, bias=False), Separable(2, 4, 3, bias=False)
    counts = [sum(p.numel() for p in m.parameters()) for m in (standard, taken_apart)]
    assert counts == [72, 18 + 8] and counts[1] / counts[0] == pytest.approx(ratio(4, 3))


@pytest.mark.parametrize("stride, padding", [(1, 0), (2, 1)])
def test_it_is_a_convolution_with_kernels_of_rank_one(stride, padding):
    x, D, P, b = draw(2, 3, 8, 8), draw(3, 3, 3), draw(5, 3), draw(5)
    kernels = full(D, P)
    expected = F.conv2d(x, kernels, b, stride, padding)
    assert torch.allclose(depthwise_separable(x, D, P, b, stride, padding), expected, atol=1e-10)
    for i in range(3):
        assert torch.linalg.matrix_rank(kernels[:, i].flatten(1)) == 1
    for o in range(5):  # one place, by hand
        by_hand = sum(P[o, i] * (D[i] * x[0, i, :3, :3]).sum() for i in range(3))
        if stride == 1:
            assert depthwise_separable(x, D, P)[0, o, 0, 0] == pytest.approx(by_hand.item())


def test_the_module_computes_the_function():
    layer, x = Separable(3, 5, 3, 2, 1).double(), draw(2, 3, 8, 8)
    D, P = layer[0].weight[:, 0], layer[1].weight[:, :, 0, 0]
    assert torch.allclose(layer(x), depthwise_separable(x, D, P, layer[1].bias, 2, 1))


def test_the_nearest_separable_convolution_loses_the_tail_of_every_input_channel():
    W = draw(6, 4, 3, 3)
    lost = (full(*nearest(W)) - W).square().sum()
    tails = sum(torch.linalg.svdvals(W[:, i].flatten(1))[1:].square().sum() for i in range(4))
    assert lost == pytest.approx(tails.item())
    exact = full(draw(4, 3, 3, seed=1), draw(6, 4, seed=2))
    assert torch.allclose(full(*nearest(exact)), exact)


@pytest.mark.parametrize("name", ["LeNet5", "SmallResNet", "functions"])
def test_a_network_that_is_separable_already_computes_what_it_did(name):
    model, x = network(name)
    model = model.double().eval()
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.copy_(full(*nearest(layer.weight)))
    small = separate(model)
    assert torch.allclose(small(x.double()), model(x.double()), atol=1e-10)
    assert footprint.size(small, x.double())["macs"] < footprint.size(model, x.double())["macs"]


def test_multiplications_fall_by_the_ratio():
    x = torch.rand(1, 16, 10, 10)
    standard, taken_apart = nn.Conv2d(16, 32, 3, padding=1), Separable(16, 32, 3, padding=1)
    assert footprint.macs(taken_apart, x) / footprint.macs(standard, x) == pytest.approx(ratio(32, 3))


# --- both ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [lambda model: low_rank(model, 1), separate])
def test_the_given_network_stays_as_it_was_and_nothing_is_drawn(change):
    net = Net() if change is not separate else LeNet5()
    net.eval() if change is separate else net
    before = state(net)
    small = change(net)
    after = state(net)
    assert not [key for key in before if not same(before[key], after[key])]
    assert {m.training for m in small.modules()} == {m.training for m in net.modules()}


def test_both_can_be_trained_and_keep_dtype_and_what_is_frozen():
    model = LeNet5().double()
    model.convolutions[0].weight.requires_grad_(False)
    for small in (low_rank(model, 2), separate(model)):
        assert {p.dtype for p in small.parameters()} == {torch.float64}
        assert not any(p.requires_grad for p in small.convolutions[0].parameters())
        small(torch.rand(4, 784).double()).sum().backward()
        assert all(p.grad is not None for p in small.convolutions[1].parameters())


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(30, 30), nn.Linear(30, 30)
        self.two.weight = self.one.weight


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: low_rank(MLP(8, 6, 4)), "give one of rank, energy and share"),
        (lambda: low_rank(MLP(8, 6, 4), 2, share=0.5), "give one of rank"),
        (lambda: low_rank(MLP(8, 6, 4), 0), "rank is 0; it must be a whole number, 1 or more"),
        (lambda: low_rank(MLP(8, 6, 4), 5), "no layer would get smaller"),
        (lambda: low_rank(MLP(8, 6, 4), {"layers.7": 1}), r"rank names \['layers.7'\]; the layers are"),
        (lambda: low_rank(MLP(8, 6, 4), {"layers.0": 7}), "rank is 7 for layers.0, whose rank is at most 6"),
        (lambda: low_rank(MLP(8, 6, 4), energy=0.0), "energy is 0.0"),
        (lambda: low_rank(MLP(8, 6, 4), share=0.01), "rank 1 of a layer"),
        (lambda: low_rank(prune(MLP(8, 6, 4), 0.5), 1), "layers.0 is masked"),
        (lambda: low_rank(nn.Sequential(weight_norm(nn.Linear(9, 9))), 1), "computed from others"),
        (lambda: low_rank(Shared(), 1), "one shares its weights"),
        (lambda: low_rank(nn.Linear(9, 9), 1), "a single layer"),
        (lambda: separate(MLP(8, 6, 4)), "no convolution"),
        (lambda: separate(nn.Sequential(nn.Conv2d(1, 1, 3))), "no convolution"),
        (lambda: separate(prune(LeNet5(), 0.5)), "masked"),
        (lambda: separate(separate(LeNet5())), "no convolution"),
    ],
)
def test_what_cannot_be_made_smaller_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


def test_weights_that_are_not_finite_are_refused():
    model = copy.deepcopy(LeNet5())
    model.convolutions[0].weight.data[0, 0, 0, 0] = float("nan")
    for change in (separate, lambda m: low_rank(m, 1)):
        with pytest.raises(ValueError, match="convolutions.0.weight"):
            change(model)

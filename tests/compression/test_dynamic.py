"""Early exits and slimmable networks: what leaves early, what the widths share, and what neither may change."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lllcourse import training
from lllcourse.compression import footprint
from lllcourse.compression.adjustable import Adjustable, all_settings, measured
from lllcourse.compression.exits import ExitNet, Exits, all_exits, alone, first_sure, leave, macs_to, sure
from lllcourse.compression.multi_scale import MultiScaleNet
from lllcourse.compression.slimmable import Slimmable, all_widths
from lllcourse.compression.structured import remove
from lllcourse.data import Split
from lllcourse.models import MLP, LeNet5

from ..looking import same, state
from .zoo import ZOO, network

X = torch.rand(24, 256, generator=torch.Generator().manual_seed(0))
Y = torch.arange(24) % 3


def exits(seed=0):
    model = ExitNet((3, 4, 5), 3, image=(1, 16, 16), seed=seed)
    training.train(model, Split(X, Y), epochs=2, batch_size=8, lr=0.05, loss=all_exits)
    return model.eval()


# --- exits --------------------------------------------------------------------------------------------------------


def test_every_exit_is_the_network_up_to_it():
    model = exits()
    h, outputs = X, model.every(X)
    for stage, head, z in zip(model.stages, model.heads, outputs, strict=True):
        h = stage(h)
        assert torch.equal(head(h), z)
    assert torch.equal(model(X), outputs[-1])


def test_the_loss_is_the_sum_over_the_exits():
    model = exits()
    expected = sum(F.cross_entropy(z, Y) for z in model.every(X))
    assert torch.equal(all_exits(model, X, Y), expected)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.36, 0.4, 0.5, 0.9, 1.0, 1.01])
def test_what_leaves_early_gets_the_label_of_the_exit_that_was_sure_of_it(threshold):
    model = exits()
    with torch.no_grad():
        outputs = model.every(X)
    labels, left = leave(model, X, threshold)
    for i in range(len(X)):  # by hand
        k = 0
        while k < 2 and outputs[k][i].softmax(0).max() < threshold:
            k += 1
        assert left[i] == k and labels[i] == outputs[k][i].argmax()
    assert torch.equal(left, first_sure(outputs, threshold))


def test_above_1_nobody_leaves_early_and_at_0_everybody_does():
    model = exits()
    labels, left = leave(model, X, 1.5)
    assert (left == 2).all() and torch.equal(labels, model(X).argmax(1))
    assert not leave(model, X, 0)[1].any()
    huge = [1e4 * z for z in model.every(X)]  # probabilities of exactly 1
    assert (sure(huge[0]) == 1).any() and (first_sure(huge, 1.0001) == 2).all()


def test_what_has_left_is_not_computed_further():
    model, seen = exits(), []
    model.stages[2].register_forward_hook(lambda module, inputs, output: seen.append(len(output)))
    with torch.no_grad():
        threshold = sure(model.every(X)[1]).median().item()
    seen.clear()
    _, left = leave(model, X, threshold)
    assert seen == [int((left == 2).sum())] and 0 < seen[0] < len(X)


def test_multiplications_to_an_exit_are_those_of_all_that_was_passed():
    model = ExitNet()
    places, fields = [14 * 14, 7 * 7, 7 * 7], [16 * 16, 16 * 32, 16 * 64]
    stages = [9 * i * o * n for (i, o), n in zip([(1, 16), (16, 32), (32, 64)], places, strict=True)]
    expected, total = [], 0
    for stage, field in zip(stages, fields, strict=True):
        total += stage + 10 * field
        expected.append(total)
    assert macs_to(model, torch.rand(1, 784)).tolist() == expected
    whole = footprint.macs(model, torch.rand(1, 784))
    assert whole == expected[-1] - 10 * sum(fields[:2])  # the network alone asks no early head


def test_leaving_looks_only():
    model = exits().train()
    before = state(model)
    leave(model, X, 0.4)
    macs_to(model, X)
    after = state(model)
    assert not [key for key in before if not same(before[key], after[key])]


def test_an_exit_network_follows_from_its_seed():
    drawn = torch.get_rng_state()
    one, other = ExitNet(seed=3), ExitNet(seed=3)
    assert all(map(torch.equal, one.parameters(), other.parameters()))
    assert torch.equal(drawn, torch.get_rng_state())
    assert not torch.equal(next(one.parameters()), next(ExitNet(seed=4).parameters()))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Exits([nn.Identity()], []), "1 stages and 0 heads"),
        (lambda: Exits([], []), "give one head for each stage"),
        (lambda: leave(exits(), X, -0.1), "threshold is -0.1"),
        (lambda: leave(exits(), X, float("nan")), "threshold is nan"),
        (lambda: first_sure([torch.ones(2, 3)], -1), "threshold is -1"),
    ],
)
def test_exits_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


# --- several scales -----------------------------------------------------------------------------------------------


def multi(seed=0, exits=4, scales=3):
    model = MultiScaleNet(exits, scales, 3, 4, 3, image=(1, 16, 16), seed=seed)
    training.train(model, Split(X, Y), epochs=1, batch_size=8, lr=0.05, loss=all_exits)
    return model.eval()


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_the_coarsest_maps_are_those_of_the_grid_in_which_every_scale_has_every_layer(scales):
    model = multi(scales=scales)
    with torch.no_grad():
        maps, seen = X, []
        for stage in model.stages:
            maps = stage(maps)
            seen.append(maps)
        # x[s][l]: all maps up to layer l, computed layer by layer, where the network computes along the diagonal
        grid = [[m] for m in seen[0]]
        for number in range(1, len(seen)):
            for s in range(scales):
                stage = model.stages[number + scales - 1 - s] if number + scales - 1 - s < len(seen) else None
                if stage is None:
                    continue  # no exit ever reads it
                parts = [grid[s][-1], stage.across[str(s)](grid[s][number - 1])]
                if s:
                    parts.append(stage.down[str(s)](grid[s - 1][number - 1]))
                grid[s].append(torch.cat(parts, 1))
        for k, maps in enumerate(seen):
            assert torch.equal(maps[-1], grid[-1][k])
            assert torch.equal(model.heads[k](maps), model.every(X)[k])


def test_later_layers_read_all_maps_of_the_earlier_ones_unchanged():
    model, maps = multi(), X
    with torch.no_grad():
        for stage in model.stages:
            before, maps = maps, stage(maps)
            if isinstance(before, list):
                assert all(torch.equal(new[:, : old.shape[1]], old) for old, new in zip(before, maps, strict=True))
    assert [m.shape[1] for m in maps] == [3 + 4 * 1, 6 + 8 * 2, 12 + 16 * 3]


def test_the_multiplications_of_several_scales_are_those_of_the_formula():
    model = MultiScaleNet()
    a, b, c = 14 * 14, 7 * 7, 4 * 4  # places at the three scales
    first = 9 * (1 * 4 * a + 4 * 8 * b + 8 * 16 * c)
    second = 9 * c * (16 * 16 + 8 * 16)
    third = 9 * b * (8 * 8 + 4 * 8) + 9 * c * (48 * 16 + 24 * 16)
    heads = [160 * 16, 160 * 48, 160 * 80]
    expected = [first + heads[0], first + second + sum(heads[:2]), first + second + third + sum(heads)]
    assert macs_to(model, torch.rand(1, 784)).tolist() == expected


def test_what_leaves_a_network_of_several_scales_is_taken_out_of_all_its_maps():
    model = multi()
    with torch.no_grad():
        outputs = model.every(X)
    threshold = sure(outputs[0]).median().item()
    labels, left = leave(model, X, threshold)
    assert torch.equal(left, first_sure(outputs, threshold)) and 1 < len(left.unique())
    assert torch.equal(labels, torch.stack(outputs).argmax(2).gather(0, left[None])[0])


def test_a_network_of_several_scales_follows_from_its_seed():
    drawn = torch.get_rng_state()
    one, other = MultiScaleNet(seed=3), MultiScaleNet(seed=3)
    assert all(map(torch.equal, one.parameters(), other.parameters()))
    assert torch.equal(drawn, torch.get_rng_state())


@pytest.mark.parametrize("name", ["exits", "scales", "channels", "growth"])
def test_sizes_that_cannot_be_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} is 0"):
        MultiScaleNet(**{name: 0})


# --- one exit by itself -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [exits, multi])
def test_an_exit_alone_is_the_exit_of_the_whole(make):
    model = make()
    with torch.no_grad():
        for k, z in enumerate(model.every(X)):
            one = alone(model, k)
            assert torch.equal(one(X), z)
            assert not {p.data_ptr() for p in one.parameters()} & {p.data_ptr() for p in model.parameters()}


@pytest.mark.parametrize("k", [-1, 3, 1.5])
def test_an_exit_that_is_not_there_is_refused(k):
    with pytest.raises(ValueError, match=f"k is {k}"):
        alone(exits(), k)


# --- widths -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ZOO)
def test_at_full_width_it_is_the_plain_network(name):
    model, x = network(name)
    slim = Slimmable(model, x, (0.5, 1.0))
    for mode in (False, True):
        slim.train(mode), model.train(mode)
        torch.manual_seed(0)
        expected = model(x)
        torch.manual_seed(0)
        assert torch.equal(slim(x), expected)
        assert torch.equal(slim.eval().plain(1)(x), slim(x))


@pytest.mark.parametrize("name", ZOO)
def test_a_narrow_one_is_the_network_of_the_first_units(name):
    model, x = network(name)
    model.eval()
    slim = Slimmable(model, x, (0.4, 0.7, 1.0)).eval()
    for k in (0, 1):
        plain = slim.plain(k)
        assert torch.allclose(plain(x), slim.at_width(x, k), atol=1e-6)
        kept = {u: torch.arange(n) for u, n in counted(model, x, slim.widths[k]).items()}
        assert torch.allclose(slim.at_width(x, k), remove(model, x, kept)(x), atol=1e-6)


def counted(model, x, width):
    from lllcourse.compression import units

    return {u.name: max(1, round(width * u.count)) for u in units.find(model, x)}


def test_all_widths_train_the_same_weights_and_each_its_own_norm():
    model = LeNet5((4, 8), 8, 3, image=(1, 16, 16))
    slim = Slimmable(model, X, (0.5, 1.0))
    before = copy.deepcopy(slim.state_dict())
    training.train(slim, Split(X, Y), epochs=1, batch_size=8, lr=0.05, loss=all_widths)
    first = slim.wide.convolutions[0].weight
    assert not torch.equal(before["wide.convolutions.0.weight"], first)
    assert torch.equal(slim.plain(0).convolutions[0].weight, first[:2])
    narrow, wide = slim.narrow[0].norms[1], slim.wide.norms[1]
    assert narrow.running_mean.shape == (4,) and wide.running_mean.shape == (8,)
    assert not torch.allclose(narrow.running_var, wide.running_var[:4])
    names = [n for n, _ in slim.named_parameters()]
    assert not [n for n in names if n.startswith("narrow") and "norm" not in n]


def test_gradients_are_the_sums_over_the_widths():
    model, x, y = MLP(6, 8, 4, 3).double(), torch.rand(5, 6).double(), torch.arange(5) % 3
    slim = Slimmable(model, x, (0.5, 1.0))
    all_widths(slim, x, y).backward()
    narrow, wide = slim.plain(0), slim.plain(1)
    for net in (narrow, wide):
        F.cross_entropy(net(x), y).backward()
    for name, p in slim.wide.named_parameters():
        expected = wide.get_parameter(name).grad.clone()
        part = narrow.get_parameter(name).grad
        expected[tuple(map(slice, part.shape))] += part
        assert torch.allclose(p.grad, expected, atol=1e-12), name


def test_one_slimmable_network_stores_little_more_than_the_widest():
    model, x = LeNet5(), torch.rand(2, 784)
    slim = Slimmable(model, x)
    numbers = sum(p.numel() for p in slim.parameters())
    alone = sum(p.numel() for p in model.parameters())
    norms = sum(2 * round(w * n) for w in slim.widths[:-1] for n in (8, 16))
    assert numbers == alone + norms < 1.01 * alone
    widths = [footprint.size(slim.plain(k), x)["macs"] for k in range(4)]
    assert widths == sorted(widths) and widths[0] < widths[-1] / 6


def test_a_slimmable_network_is_saved_and_loaded():
    model, x = LeNet5((4, 8), 8, 3, image=(1, 16, 16)), X
    one = Slimmable(model, x, (0.5, 1.0))
    training.train(one, Split(X, Y), epochs=1, batch_size=8, lr=0.05, loss=all_widths)
    other = Slimmable(LeNet5((4, 8), 8, 3, image=(1, 16, 16), seed=5), x, (0.5, 1.0))
    other.load_state_dict(one.state_dict())
    for k in (0, 1):
        assert torch.equal(one.eval().at_width(X, k), other.eval().at_width(X, k))


@pytest.mark.parametrize("name", ["LeNet5", "SmallResNet", "sequential"])
def test_shared_norms_are_the_first_numbers_of_the_wide_one(name):
    model, x = network(name)
    model.eval()
    slim = Slimmable(model, x, (0.5, 1.0), switchable=False).eval()
    kept = {u: torch.arange(n) for u, n in counted(model, x, 0.5).items()}
    truncated = remove(model, x, kept)
    assert torch.allclose(slim.at_width(x, 0), truncated(x), atol=1e-6)
    assert set(slim.state_dict()) == {f"wide.{name}" for name in model.state_dict()}
    plain = slim.plain(0)
    assert {n: t.shape for n, t in plain.state_dict().items()} == {
        n: t.shape for n, t in truncated.state_dict().items()
    }


def test_every_width_moves_a_shared_norm_and_only_its_own_of_switchable_ones():
    for switchable in (True, False):
        slim = Slimmable(LeNet5((4, 8), 8, 3, image=(1, 16, 16)), X, (0.5, 1.0), switchable=switchable)
        before = slim.wide.norms[1].running_mean.clone()
        slim.train().at_width(X, 0)
        moved = slim.wide.norms[1].running_mean != before
        assert moved[:4].all() != switchable and not moved[4:].any()


def test_a_frozen_weight_stays_frozen_at_every_width():
    model = MLP(6, 4, 3)
    model.layers[0].weight.requires_grad_(False)
    slim = Slimmable(model, torch.rand(2, 6), (0.5, 1.0))
    for k in (0, 1):
        trained = {n: p.requires_grad for n, p in slim.plain(k).named_parameters()}
        assert trained.pop("layers.0.weight") is False and all(trained.values())


# --- exits and widths ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def adjustable():
    model = Adjustable(ExitNet((4, 4, 8), 3, image=(1, 16, 16)), X, (0.5, 1.0))
    training.train(model, Split(X, Y), epochs=1, batch_size=8, lr=0.05, loss=all_settings)
    return model.eval()


def test_each_width_has_all_its_exits(adjustable):
    with torch.no_grad():
        for k in (0, 1):
            net = adjustable.exits(k)
            for z, expected in zip(adjustable.every(X, k), net.every(X), strict=True):
                assert torch.allclose(z, expected, atol=1e-6)
            assert [len(stage[-2].weight) for stage in net.stages] == ([2, 2, 4], [4, 4, 8])[k]
        assert torch.equal(adjustable(X), adjustable.every(X, 1)[-1])


def test_the_loss_of_all_settings_is_the_sum_over_widths_and_exits(adjustable):
    expected = sum(F.cross_entropy(z, Y) for k in (0, 1) for z in adjustable.every(X, k))
    assert torch.equal(all_settings(adjustable, X, Y), expected)


def test_settings_are_measured_as_the_networks_that_they_are(adjustable):
    before = state(adjustable)
    costs, accuracies = measured(adjustable, Split(X, Y))
    after = state(adjustable)
    assert not [key for key in before if not same(before[key], after[key])]
    nets = [adjustable.exits(k) for k in (0, 1)]
    assert costs == [c for net in nets for c in macs_to(net, X).tolist()]
    singles = [training.evaluate(alone(net, e), Split(X, Y)) for net in nets for e in range(3)]
    assert accuracies == pytest.approx(singles)


@pytest.mark.parametrize("widths", [(), (0.5,), (0.0, 1.0), (1.0, 0.5), (0.5, 0.5, 1.0), (0.5, 1.5), (-1, 1.0)])
def test_widths_that_cannot_be_are_refused(widths):
    with pytest.raises(ValueError, match="widths is"):
        Slimmable(MLP(6, 4, 3), torch.rand(2, 6), widths)


def test_a_network_without_hidden_units_is_refused():
    with pytest.raises(ValueError, match="no hidden units"):
        Slimmable(MLP(6, 3), torch.rand(2, 6))

"""Widening: the wide network computes what the narrow one does, and its copies can be told apart."""

import copy
import re

import pytest
import torch
from torch import nn

from lllcourse import training
from lllcourse.compression import dense, units
from lllcourse.compression.widening import copied, shared, widen
from lllcourse.data import digits
from lllcourse.models import MLP, LeNet5, SmallResNet

NETWORKS = {
    "MLP": lambda: MLP(784, 12, 9, 10),
    "deep MLP": lambda: MLP(784, 6, 7, 8, 9, 10),
    "LeNet-5": lambda: LeNet5((3, 5), 7),
    "small residual network": lambda: SmallResNet((4, 6)),
    "three residual blocks of one width": lambda: SmallResNet((5, 5, 5)),
}
each_network = pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
X = digits().test.x[:40]


def lively(model):
    """The network in float64, with batch norm that does something, and in evaluation mode."""
    draws = torch.Generator().manual_seed(0)
    model = model.double().eval()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight.data, layer.running_mean, layer.running_var):
                tensor.copy_(torch.rand(tensor.shape, generator=draws) + 0.5)
    return model


def refused(message):
    return pytest.raises(ValueError, match=re.escape(message))


@each_network
@pytest.mark.parametrize("even", [True, False], ids=["even", "uneven"])
def test_a_widened_network_computes_what_the_narrow_one_does(make, even):
    model, x = lively(make()), X.double()
    for seed, factor in enumerate((1.3, 2, 3.5)):
        wide = widen(model, x, factor, even=even, seed=seed)
        assert torch.allclose(wide(x), model(x), rtol=1e-10, atol=1e-12)
        for before, after in zip(units.find(model, x), units.find(wide, x), strict=True):
            assert after.count == round(factor * before.count)


@pytest.mark.parametrize("name", dense.TRAINING)
def test_so_do_the_dense_networks_of_the_course(name):
    model = dense.untrained(name).eval()
    assert torch.allclose(widen(model, X, 1.5)(X), model(X), atol=1e-5)


def test_in_training_mode_too_since_a_copy_has_the_statistics_of_its_original():
    model = NETWORKS["LeNet-5"]().double()
    wide = widen(model, X.double(), 2)
    assert torch.allclose(wide(X.double()), model(X.double()), atol=1e-10)


def test_a_single_group_can_be_widened():
    model = lively(NETWORKS["small residual network"]())
    name = units.find(model, X.double())[0].name
    wide = widen(model, X.double(), {name: 9})
    assert {u.name: u.count for u in units.find(wide, X.double())}[name] == 9
    assert torch.allclose(wide(X.double()), model(X.double()))
    assert wide.report.layers[name] == [4, 9]


def test_every_unit_is_there_once_in_its_order_then_come_copies():
    g = copied(5, 12, torch.Generator().manual_seed(0))
    assert g[:5].tolist() == [0, 1, 2, 3, 4] and len(g) == 12 and set(g.tolist()) == set(range(5))


def test_the_shares_of_a_units_copies_add_up_to_one():
    g = torch.tensor([0, 1, 2, 0, 0, 2])
    assert torch.allclose(shared(g, 3), torch.tensor([1 / 3, 1, 0.5, 1 / 3, 1 / 3, 0.5]).double())
    uneven = shared(g, 3, torch.Generator().manual_seed(0))
    assert torch.allclose(torch.zeros(3).double().index_add(0, g, uneven), torch.ones(3).double())
    assert uneven[1] == 1 and uneven[0] != uneven[3] != uneven[4]


def test_by_hand():
    model = MLP(1, 2, 1)
    first, last = model.layers
    first.weight.data, first.bias.data = torch.tensor([[1.0], [2.0]]), torch.tensor([3.0, 4.0])
    last.weight.data, last.bias.data = torch.tensor([[5.0, 6.0]]), torch.tensor([7.0])
    wide = widen(model, torch.ones(1, 1), {"layers.0": 3}, even=True, seed=0)
    g = copied(2, 3, torch.Generator().manual_seed(0))[2].item()
    assert wide.layers[0].weight.flatten().tolist() == [1.0, 2.0, [1.0, 2.0][g]]
    assert wide.layers[0].bias.tolist() == [3.0, 4.0, [3.0, 4.0][g]]
    half = [5.0, 6.0]
    half[g] /= 2
    assert wide.layers[1].weight.flatten().tolist() == [*half, half[g]]
    assert wide.layers[1].bias.tolist() == [7.0]


@pytest.mark.parametrize("even", [True, False], ids=["even", "uneven"])
def test_copies_that_share_evenly_stay_copies_and_others_part(even):
    wide = widen(MLP(784, 5, 10), X, {"layers.0": 10}, even=even)
    g = copied(5, 10, torch.Generator().manual_seed(0))
    training.train(wide, digits().train[:200], epochs=2, lr=0.1)
    for j in range(5, 10):
        apart = (wide.layers[0].weight[j] - wide.layers[0].weight[g[j]]).abs().max()
        assert (apart < 1e-6) if even else (apart > 1e-4)


def test_what_is_given_is_not_changed():
    model = NETWORKS["LeNet-5"]()
    before = copy.deepcopy(model.state_dict())
    for p in widen(model, X, 2).parameters():
        p.data.add_(1)
    assert all(torch.equal(v, before[n]) for n, v in model.state_dict().items())
    assert model.convolutions[0].out_channels == 3


def test_it_follows_from_its_seed_and_leaves_the_draws_of_others_alone():
    model = NETWORKS["MLP"]()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, again, other = (widen(model, X, 2, seed=s).layers[0].weight for s in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


def test_the_report_tells_what_there_was():
    report = widen(MLP(784, 12, 9, 10), X, 2).report
    assert (report.before, report.after) == (21, 42)
    assert str(report).splitlines() == [
        "units: 42, and 21 before",
        "  layers.0: 24, and 12 before",
        "  layers.1: 18, and 9 before",
    ]


# --- what is refused ----------------------------------------------------------------------------------------------


def test_fewer_units_are_refused():
    with refused("units_after is 8 for 'layers.0', which has 12 units; widening only adds some"):
        widen(MLP(784, 12, 9, 10), X, {"layers.0": 8})
    with refused("to remove some, use structured.prune_units"):
        widen(MLP(784, 12, 9, 10), X, 0.5)


def test_no_more_units_than_there_are_is_no_widening():
    for same in (1, {}, {"layers.0": 12}):
        with refused("units_after adds nothing to {'layers.0': 12, 'layers.1': 9}; ask for more units"):
            widen(MLP(784, 12, 9, 10), X, same)


def test_an_unknown_group_is_refused_with_those_there_are():
    with refused("units_after names ['layers.7']; the groups are ['layers.0', 'layers.1']"):
        widen(MLP(784, 12, 9, 10), X, {"layers.7": 20})


def test_a_number_that_is_none_is_refused():
    with refused("units_after['layers.0'] is 12.5; it must be a whole number"):
        widen(MLP(784, 12, 9, 10), X, {"layers.0": 12.5})
    with refused("units_after is nan; it must be a finite factor"):
        widen(MLP(784, 12, 9, 10), X, float("nan"))


def test_a_network_without_hidden_units_has_none_to_copy():
    with refused("no hidden layer"):
        widen(MLP(784, 10), X, 2)

"""Removing units: what is left computes what the large network computes with those units at zero."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lllcourse.compression import storage, structured, units
from lllcourse.compression.pruning import prune
from lllcourse.lifelong.ewc import importance
from lllcourse.models import MLP, LeNet5, Reader, SmallResNet

from ..looking import same
from .zoo import ZOO, network, state

each_network = pytest.mark.parametrize("name", ZOO)


def kept_at_random(found, seed):
    """For every group some of its units, one at least."""
    generator = torch.Generator().manual_seed(seed)
    kept = {}
    for u in found:
        n = int(torch.randint(1, u.count, (), generator=generator))
        kept[u.name] = torch.randperm(u.count, generator=generator)[:n].sort().values
    return kept


def columns(group, index):
    """Where the units `index` of a group stand among the inputs of each layer that reads it."""
    return {name: (index[:, None] * p + torch.arange(p)).flatten() for name, p in group.read.items()}


def with_units_at_zero(model, found, kept):
    """A copy whose readers do not hear the units that are not kept, and go on not hearing them in training."""
    model = copy.deepcopy(model)
    deaf = {}
    for u in found:
        for name, index in columns(u, kept[u.name]).items():
            weight = model.get_submodule(name).weight
            mask = torch.zeros_like(weight)
            mask[:, index] = 1
            deaf[name] = mask
            weight.data.mul_(mask)
    return model, deaf


@each_network
@pytest.mark.parametrize("seed", range(3))
def test_the_small_network_is_the_large_one_with_units_at_zero(name, seed):
    model, x = network(name, seed)
    found = units.find(model, x)
    kept = kept_at_random(found, seed)
    large, _ = with_units_at_zero(model, found, kept)
    small = structured.remove(model, x, kept)
    assert torch.allclose(small.eval()(x), large.eval()(x), atol=1e-5)
    assert sum(p.numel() for p in small.parameters()) < sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", [n for n in ZOO if n != "sequential"])  # dropout draws for every unit
def test_it_stays_so_when_both_are_trained_on(name):
    model, x = network(name, 1)
    found = units.find(model, x)
    kept = kept_at_random(found, 1)
    large, deaf = with_units_at_zero(model, found, kept)
    small = structured.remove(model, x, kept)
    y = torch.arange(len(x)) % 3
    for one in (large, small):
        one.train()
        optimizer = torch.optim.SGD(one.parameters(), lr=0.1, momentum=0.9)
        for _ in range(4):
            optimizer.zero_grad()
            F.cross_entropy(one(x), y).backward()
            for layer, mask in deaf.items() if one is large else ():
                one.get_submodule(layer).weight.grad.mul_(mask)
            optimizer.step()
    assert torch.allclose(small(x), large(x), atol=1e-4)  # by the statistics of this batch
    assert torch.allclose(small.eval()(x), large.eval()(x), atol=1e-4)


def test_units_of_a_layer_are_permuted_with_all_that_hangs_on_them():
    """In another order the units make the same network: the couplings are complete, in float64 to the last digits."""
    for name in ZOO:
        model, x = network(name, 2)
        model, x = model.double().eval(), x.double()
        kept = {u.name: torch.arange(u.count).flip(0) for u in units.find(model, x)}
        turned = copy.deepcopy(model)
        groups = {u.name: u for u in units.find(model, x)}
        for group, index in kept.items():
            u = groups[group]
            for layer in map(turned.get_submodule, [*u.made, *u.norms]):
                structured.cut(layer, 0, index)
            for reader, where in columns(u, index).items():
                structured.cut(turned.get_submodule(reader), 1, where)
        assert torch.allclose(turned(x), model(x), atol=1e-12), name


def test_couplings_counted_by_hand():
    found = units.find(SmallResNet(seed=0), torch.rand(2, 784))
    assert [(u.name, u.count) for u in found] == [
        ("start", 8),
        ("blocks.0.convolutions.0", 8),
        ("blocks.1.convolutions.0", 16),
        ("blocks.1.convolutions.1", 16),
    ]
    stream, last = found[0], found[-1]
    assert stream.made == ["start", "blocks.0.convolutions.1"]
    assert stream.norms == ["norm", "blocks.0.norms.1"]
    assert set(stream.read) == {"blocks.0.convolutions.0", "blocks.1.convolutions.0", "blocks.1.around"}
    assert last.made == ["blocks.1.convolutions.1", "blocks.1.around"]
    assert [u.read for u in units.find(LeNet5(), torch.rand(2, 784))] == [
        {"convolutions.1": 1},
        {"hidden": 16},
        {"answer": 1},
    ]


@each_network
def test_what_scores_least_goes_and_of_equals_the_last(name):
    model, x = network(name)
    found = units.find(model, x)
    scores = [torch.arange(u.count).flip(0).double() for u in found]
    small = structured.prune_units(model, x, 0.5, scores)
    kept = {u.name: torch.arange(max(1, round(u.count / 2))) for u in found}
    assert same(state(small), state(structured.remove(model, x, kept)))
    equal = structured.prune_units(model, x, 0.5, [torch.ones(u.count) for u in found])
    assert same(state(small), state(equal))
    assert small.report.layers == {u.name: [u.count, max(1, round(u.count / 2))] for u in found}


@each_network
def test_the_given_network_is_not_changed(name):
    model, x = network(name)
    before, drawn = state(model), torch.get_rng_state()
    small = structured.prune_units(model, x, 0.5)
    structured.activity(model, x)
    structured.unit_norms(model, x)
    assert same(before, state(model)) and model.training and small.training
    assert torch.equal(drawn, torch.get_rng_state())
    assert not {p.data_ptr() for p in small.parameters()} & {p.data_ptr() for p in model.parameters()}


def test_numbers_of_units_can_be_given_for_a_group():
    model, x = network("MLP")
    small = structured.prune_units(model, x, {"layers.1": 3})
    assert [tuple(p.shape) for p in small.parameters()] == [(9, 12), (9,), (3, 9), (3,), (4, 3), (4,)]
    assert [layer.out_features for layer in small.layers] == [9, 3, 4]


# --- which units matter ---------------------------------------------------------------


def test_the_norm_of_a_unit_is_the_mean_size_of_its_weights():
    model, x = network("MLP")
    expected = model.layers[0].weight.abs().mean(1)
    assert torch.allclose(structured.unit_norms(model, x)[0], expected)
    model, x = network("SmallResNet")
    rows = [model.start.weight.abs().flatten(1), model.blocks[0].convolutions[1].weight.abs().flatten(1)]
    assert torch.allclose(structured.unit_norms(model, x)[0], torch.cat(rows, 1).mean(1))


def test_activity_is_the_share_of_examples_at_which_a_unit_is_not_zero():
    model, x = network("MLP")
    model.layers[0].bias.data -= 0.3
    h = torch.relu(model.layers[0](x))
    assert torch.allclose(structured.activity(model, x)[0], (h != 0).double().mean(0))
    model, x = network("LeNet5")
    model.eval()
    h = F.max_pool2d(torch.relu(model.norms[0](model.convolutions[0](x.view(-1, 1, 18, 17)))), 2)
    assert torch.allclose(structured.activity(model, x)[0], (h != 0).double().mean((0, 2, 3)))
    h = F.max_pool2d(torch.relu(model.norms[1](model.convolutions[1](h))), 2)
    assert torch.allclose(structured.activity(model, x)[1], (h != 0).double().mean((0, 2, 3)))


def test_importances_of_weights_become_scores_of_units():
    model, x = network("MLP")
    b = importance(model, x)
    first, second = structured.unit_scores(model, x, b)
    assert torch.allclose(first, b[0].mean(1)) and torch.allclose(second, b[2].mean(1))


# --- kept on disk ---------------------------------------------------------------------


@each_network
def test_a_small_network_is_saved_and_loaded_without_editing_a_class(name, tmp_path):
    model, x = network(name)
    small = structured.prune_units(model, x, 0.5)
    written = storage.save(small, tmp_path / "small.pt")
    assert written == (tmp_path / "small.pt").stat().st_size == len(storage.written(small))
    assert torch.load(tmp_path / "small.pt", weights_only=True).keys() == model.state_dict().keys()
    again = storage.load(tmp_path / "small.pt", ZOO[name][0](5))
    assert torch.equal(again(x), small.eval()(x)) and not again.training
    smaller = structured.prune_units(again, x, 0.5)  # its layers know their sizes
    assert smaller(x).shape == small(x).shape


def test_another_network_or_file_is_refused(tmp_path):
    storage.save(MLP(4, 3, 2), tmp_path / "one.pt")
    with pytest.raises(ValueError, match=r"holds another network.*layers\.2\.weight"):
        storage.load(tmp_path / "one.pt", MLP(4, 3, 3, 2))
    (tmp_path / "two.pt").write_text("no network")
    with pytest.raises(ValueError, match="is no network that `save` wrote"):
        storage.load(tmp_path / "two.pt", MLP(4, 3, 2))


# --- what is refused ------------------------------------------------------------------


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.b(self.a(self.a(x)))


class Gated(Twice):
    def forward(self, x):
        return self.b(self.a(x) * self.a.bias)


class Branching(Twice):
    def forward(self, x):
        return self.b(self.a(x)) if x.sum() > 0 else self.a(x)


class Transposed(Twice):
    def forward(self, x):
        return self.b(self.a(x[:, None].expand(-1, 2, -1)).mean(1))


def tied():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.Linear(4, 3))
    model[2].weight = model[0].weight
    return model


REFUSED = {
    "used twice": (Twice, (4,), "'a': it is used twice"),
    "an operation that is not known": (Gated, (4,), "through 'mul'"),
    "a path that data decide": (Branching, (4,), "cannot be followed through this network"),
    "rows within an example": (Transposed, (4,), r"'a': what it gives has the shape \(2, 2, 4\)"),
    "a shared weight": (tied, (4,), "share a weight"),
    "a layer norm": (
        lambda: nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 3)),
        (4,),
        "through '1'",
    ),
    "groups": (
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=2), nn.Flatten(), nn.Linear(16, 3)),
        (1, 6, 6),
        "channels are in groups",
    ),
    "weight norm": (
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)), nn.Linear(4, 3)),
        (4,),
        "computed from others",
    ),
    "masked weights": (lambda: prune(MLP(4, 5, 3), 0.5), (4,), r"pruning.without_masks\(model\)"),
    "no hidden layer": (lambda: MLP(4, 3), (4,), "no units that could go"),
    "other examples": (lambda: MLP(4, 5, 3), (5,), r"does not take examples of shape \(5,\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_networks_whose_units_cannot_be_followed_are_refused_by_name(case):
    make, shape, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        structured.prune_units(make(), torch.rand(4, *shape), 0.5)


def test_the_reader_is_refused():
    with pytest.raises(ValueError, match="cannot be followed"):
        structured.prune_units(Reader(11, 5), torch.zeros(2, 42, dtype=torch.long), 0.5)


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (0, "keep is 0; it must be a share above 0"),
        (1.5, "keep is 1.5"),
        (float("nan"), "keep is nan"),
        (1, "nothing was removed: all 17 units"),
        ({"layers.7": 1}, r"keep names \['layers.7'\]; the groups are \['layers.0', 'layers.1'\]"),
        ({"layers.0": 0}, "keep is 0; it must be a whole number"),
        ({"layers.0": 10}, "keep is 10 for 'layers.0', which has 9 units"),
    ],
)
def test_shares_and_numbers_that_cannot_be_kept_are_refused(keep, message):
    model, x = network("MLP")
    with pytest.raises(ValueError, match=message):
        structured.prune_units(model, x, keep)


def test_scores_that_do_not_fit_are_refused():
    model, x = network("MLP")
    with pytest.raises(ValueError, match=r"scores has the shapes \[\(9,\)\]; .* \[9, 8\]"):
        structured.prune_units(model, x, 0.5, [torch.ones(9)])
    with pytest.raises(ValueError, match=r"scores\[1\] has values that are not finite"):
        structured.prune_units(model, x, 0.5, [torch.ones(9), torch.full((8,), torch.nan)])
    with pytest.raises(ValueError, match="one tensor for each parameter"):
        structured.unit_scores(model, x, [torch.ones(9), torch.ones(8)])

"""What a network costs, against counts by hand; and looking at it changes nothing."""

import pytest
import torch
from torch import nn

from lllcourse.compression import dense, footprint, storage
from lllcourse.compression.pruning import prune, without_masks
from lllcourse.compression.sparse import in_sparse_format
from lllcourse.data import Split
from lllcourse.models import MLP, LeNet5, Reader, SmallResNet

from ..looking import same
from .zoo import ZOO, network, state


def by_hand(model):
    """(parameters, multiply-accumulates) of the networks of the course, layer by layer."""
    if isinstance(model, MLP):
        sizes = [model.layers[0].in_features, *(layer.out_features for layer in model.layers)]
        pairs = list(zip(sizes, sizes[1:], strict=False))
        return sum(i * o + o for i, o in pairs), sum(i * o for i, o in pairs)
    if isinstance(model, LeNet5):
        one, two = 24 * 24 * 25 * 1 * 8, 8 * 8 * 25 * 8 * 16
        weights = 25 * 8 + 2 * 8 + 25 * 8 * 16 + 2 * 16 + 256 * 128 + 128 + 1280 + 10
        return weights, one + two + 256 * 128 + 1280
    places, fewer = 14 * 14, 7 * 7  # the second block halves the sides
    start, first = places * 9 * 8, 2 * places * 9 * 8 * 8
    second = fewer * (9 * 8 * 16 + 9 * 16 * 16 + 8 * 16)
    weights = 9 * 8 + 2 * 9 * 64 + 9 * 8 * 16 + 9 * 256 + 8 * 16 + 170 + 2 * (3 * 8 + 2 * 16)
    return weights, start + first + second + 160


@pytest.mark.parametrize("make", [lambda: MLP(784, 300, 100, 10), LeNet5, SmallResNet])
def test_parameters_and_macs_are_those_counted_by_hand(make):
    model, x = make(), torch.rand(3, 784)
    found = footprint.size(model, x)
    assert (found["parameters"], found["macs"]) == by_hand(model)
    assert found["nonzero"] <= found["parameters"]


@pytest.mark.parametrize("name", ZOO)
def test_bytes_are_those_of_the_file(name, tmp_path):
    model, x = network(name)
    written = storage.save(model, tmp_path / "model.pt")
    assert footprint.size(model, x)["bytes"] == written == (tmp_path / "model.pt").stat().st_size
    numbers = sum(t.numel() * t.element_size() for t in model.state_dict().values())
    assert written > numbers


@pytest.mark.parametrize("name", ZOO)
def test_looking_changes_nothing(name):
    model, x = network(name)
    before, drawn = state(model), torch.get_rng_state()
    footprint.footprint(model, Split(x, torch.zeros(12).long()), batch_sizes=(2,))
    assert same(before, state(model)) and model.training
    assert torch.equal(drawn, torch.get_rng_state())
    assert all(p.grad is None for p in model.parameters())


def test_zeros_save_neither_bytes_nor_multiplications():
    model, x = MLP(20, 30, 10), torch.rand(5, 20)
    dense_, pruned = (footprint.size(m, x) for m in (model, prune(model, 0.9, per_layer=True)))
    assert pruned["nonzero"] == 90 + 40 and dense_["nonzero"] == 940
    for what in ("parameters", "bytes", "macs"):
        assert pruned[what] == dense_[what]


def test_a_sparse_format_costs_its_non_zeros():
    pruned, x = prune(MLP(200, 100, 10), 0.9), torch.rand(5, 200)
    sparse = in_sparse_format(pruned)
    assert torch.allclose(sparse(x), pruned(x), atol=1e-6)
    found = footprint.size(sparse, x)
    assert found["macs"] == 2100 and found["parameters"] == found["nonzero"] == 2100 + 110
    counted = 4 * (2100 + 2100 + 101 + 11 + 110)  # values, columns, starts, biases
    assert counted < found["bytes"] < counted + 4000  # names and alignment
    assert found["bytes"] < footprint.size(pruned, x)["bytes"] / 3


def test_a_network_with_convolutions_has_no_sparse_format():
    with pytest.raises(ValueError, match=r"convolutions.0 is a convolution"):
        in_sparse_format(LeNet5())
    with pytest.raises(ValueError, match="no linear layer"):
        in_sparse_format(nn.Sequential(nn.ReLU()))


@pytest.mark.parametrize("layer", [nn.LSTM(4, 4), nn.TransformerEncoderLayer(4, 2), nn.Bilinear(4, 4, 2)])
def test_operations_that_nobody_counts_are_refused_by_name(layer):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(x, x) if isinstance(self.layer, nn.Bilinear) else self.layer(x)

    with pytest.raises(ValueError, match="nobody knows how many multiplications aten.* takes"):
        footprint.macs(Model(), torch.rand(1, 4))


def test_attention_is_counted():
    """The Reader: 2 blocks, 6 rows, width 64: four square maps of the width for what is asked, told, up and down."""
    model, x = Reader(95, 44), torch.zeros(1, 42, dtype=torch.long)
    row = 3 * 64 * 64 + 64 * 64 + 2 * 64 * 64  # a row's linear layers
    match = 2 * 6 * 6 * 64  # queries by keys, then by values
    assert footprint.macs(model, x) == 2 * (6 * row + match) + 64 * 44


def test_latency_tells_the_larger_network_from_the_smaller():
    x = torch.rand(64, 784)
    small, large = (footprint.latency(MLP(784, n, 10), x, 64)[0] for n in (10, 2000))
    assert large > 2 * small


def test_latencies_are_ratios_to_the_first():
    x, models = torch.rand(8, 784), {"dense": MLP(784, 800, 10), "small": MLP(784, 8, 10)}
    found = footprint.ratios(models, x, 64)
    assert found["dense"] == (1, 1, 1)
    middle, low, high = found["small"]
    assert low <= middle <= high and middle < 0.7


@pytest.mark.parametrize("n", [0, -1, 1.5, True])
def test_strange_batch_sizes_are_refused(n):
    with pytest.raises(ValueError, match=f"batch_sizes is {n}; it must be a whole number, 1 or more"):
        footprint.footprint(MLP(4, 2), Split(torch.rand(3, 4), torch.zeros(3).long()), batch_sizes=(n,))


def test_an_empty_split_is_refused():
    with pytest.raises(ValueError, match="data is empty"):
        footprint.footprint(MLP(4, 2), Split(torch.rand(0, 4), torch.zeros(0)))


def test_the_dense_networks_are_made_from_their_seed():
    data = Split(torch.rand(20, 784), torch.arange(20) % 10)
    for name in dense.TRAINING:
        one, other = dense.untrained(name, 3), dense.untrained(name, 3)
        dense.train(one, name, seed=3, epochs=1, data=data)
        dense.train(other, name, seed=3, epochs=1, data=data)
        assert same(state(one), state(other)) and not same(state(one), state(dense.untrained(name, 3)))
    with pytest.raises(ValueError, match="name is 'VGG'; it must be one of 'LeNet-300-100', 'LeNet-5'"):
        dense.untrained("VGG")


def test_a_masked_network_is_measured_as_the_plain_one():
    pruned, x = prune(MLP(20, 30, 10), 0.5), torch.rand(5, 20)
    assert footprint.size(pruned, x) == footprint.size(without_masks(pruned), x)

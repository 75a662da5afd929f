"""k-means and shared weights: the smallest error near by, zeros that stay zero, gradients that are sums."""

import copy
import time
from itertools import combinations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from lllcourse import training
from lllcourse.compression import clustering, pruning
from lllcourse.compression.clustering import kmeans, looked_up, nearest, share, shared_layers, without_sharing
from lllcourse.compression.deep_compression import code
from lllcourse.compression.footprint import size
from lllcourse.data import Split
from lllcourse.lifelong.ewc import importance
from lllcourse.models import MLP

from ..looking import Net, same
from ..looking import state as all_of
from .test_pruning import OPTIMIZERS, tied
from .zoo import ZOO, network

each_network = pytest.mark.parametrize("name", ZOO)
VALUES = st.lists(st.integers(-50, 50), min_size=1, max_size=9).map(lambda v: torch.tensor(v) / 8)


def error(values, centres):
    """The objective of k-means: every value takes the nearest centre."""
    return float((values[:, None].double() - centres.double()).abs().amin(1).square().sum())


def optimum(values, k):
    """Brute force: the best of all divisions of the sorted values into at most k stretches."""
    x, best = sorted(values.double().tolist()), float("inf")

    def around_mean(part):
        mean = sum(part) / len(part)
        return sum((v - mean) ** 2 for v in part)

    for cuts in combinations(range(1, len(x)), min(k, len(x)) - 1):
        ends = [0, *cuts, len(x)]
        best = min(best, sum(around_mean(x[a:b]) for a, b in zip(ends, ends[1:], strict=False)))
    return best


# --- k-means --------------------------------------------------------------------------


@given(VALUES, st.integers(1, 5))
@example(torch.tensor([9, -15, -20, -22, 30, -39]) / 8, 3)  # -15 lies in the middle of two centres
@settings(deadline=None, max_examples=100)
def test_centres_are_means_of_what_is_nearest_and_no_better_than_brute_force(values, k):
    centres = kmeans(values, k)
    assert 1 <= len(centres) <= k and (centres.diff() > 0).all()
    # A value just in the middle counts for the upper centre in a mean, and is looked up at the lower one.
    cluster = torch.bucketize(values.double(), (centres[1:] + centres[:-1]) / 2, right=True)
    assert torch.equal(cluster.unique(), torch.arange(len(centres)))  # none is empty
    for i, centre in enumerate(centres):
        assert values[cluster == i].double().mean() == pytest.approx(centre.item(), abs=1e-9)
    index = nearest(values.double(), centres)
    distance = (values[:, None].double() - centres).abs()
    assert torch.equal(distance.gather(1, index[:, None])[:, 0], distance.amin(1))
    assert error(values, centres) >= optimum(values, k) - 1e-9
    if k == 1:
        assert error(values, centres) == pytest.approx(optimum(values, 1))


def test_well_separated_groups_are_found_exactly():
    draw = torch.Generator().manual_seed(0)
    for k in (2, 3, 4):
        values = torch.arange(k).repeat(3) * 10 + torch.rand(3 * k, generator=draw)
        assert error(values, kmeans(values, k)) == pytest.approx(optimum(values, k))


def test_the_even_start_finds_the_optimum_often_and_something_near_it_else():
    draw, excess = torch.Generator().manual_seed(1), []
    for _ in range(40):
        values = torch.randn(11, generator=draw)
        excess.append(error(values, kmeans(values, 4)) / optimum(values, 4))
    assert sum(e < 1 + 1e-9 for e in excess) > 10 and sum(excess) / 40 < 1.5


def test_more_centres_never_need_more_error_and_as_many_as_values_need_none():
    values = torch.randn(3000, generator=torch.Generator().manual_seed(2))
    errors = [error(values, kmeans(values, k)) for k in (1, 2, 4, 8, 16, 64, 256)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] == pytest.approx(float(values.double().var(correction=0)) * 3000)
    few = torch.tensor([1.0, 5, 5, -2, 1])
    assert kmeans(few, 8).tolist() == [-2, 1, 5] and kmeans(torch.full((4,), 0.7), 3).tolist() == pytest.approx([0.7])


def test_the_result_is_that_of_lloyds_algorithm_written_out():
    values = torch.randn(500, generator=torch.Generator().manual_seed(3)).double()
    centres = torch.linspace(values.min(), values.max(), 12).double()
    for _ in range(500):
        index = (values[:, None] - centres).abs().argmin(1)
        means = [values[index == k].mean() if (index == k).any() else centres[k] for k in range(12)]
        centres = torch.stack(means)
    assert torch.allclose(kmeans(values, 12), centres[index.bincount(minlength=12) > 0])


def test_the_objective_is_that_of_scikit_learn_from_the_same_start():
    cluster = pytest.importorskip("sklearn.cluster")
    values = torch.randn(2000, generator=torch.Generator().manual_seed(4)).double()
    start = torch.linspace(values.min(), values.max(), 8).double()
    theirs = cluster.KMeans(8, init=start[:, None].numpy(), n_init=1, max_iter=1000, tol=0).fit(values[:, None].numpy())
    assert error(values, kmeans(values, 8)) == pytest.approx(theirs.inertia_, rel=1e-6)


def test_a_quarter_of_a_million_weights_take_a_second_at_most():
    values = torch.randn(266_200, generator=torch.Generator().manual_seed(5))
    start = time.process_time()
    assert 200 < len(kmeans(values, 256)) <= 256  # some are empty, between the outermost weights
    assert time.process_time() - start < 4


# --- gradients ------------------------------------------------------------------------


def test_the_gradient_of_a_centre_is_the_sum_of_those_of_its_weights():
    codebook = torch.tensor([-1.0, 0, 1.5, 2], requires_grad=True)
    index = torch.tensor([[4, 1, 3, 2], [2, 2, 1, 4], [1, 4, 0, 1], [4, 0, 3, 3]])
    weight = looked_up(codebook, index)
    assert weight[0].tolist() == [2, -1, 1.5, 0] and weight[2, 2] == weight[3, 1] == 0
    gradient = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    (found,) = torch.autograd.grad(weight, codebook, gradient)
    for k in range(4):
        assert found[k] == pytest.approx(float(gradient[index == k + 1].sum()), abs=1e-6)


@each_network
def test_in_a_network_too(name):
    model, x = network(name)
    shared = share(pruning.prune(model, 0.4, per_layer=True), 4).eval()
    plain = without_sharing(shared)
    y = torch.arange(len(x)) % 3
    for net in (shared, plain):
        F.cross_entropy(net(x), y).backward()
    assert torch.equal(shared(x), plain(x))
    for layer_name, layer in shared_layers(shared).items():
        own = plain.get_submodule(layer_name).weight.grad
        for k in range(len(layer.codebook)):
            total = own[layer.index == k + 1].sum()
            assert layer.codebook.grad[k] == pytest.approx(float(total), abs=1e-5)


# --- networks -------------------------------------------------------------------------


@each_network
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_zeros_stay_zero_and_values_stay_few_whatever_trains(name, optimizer):
    model, x = network(name)
    shared = share(pruning.prune(model, 0.5, per_layer=True), 3)
    masks = {n: layer.index == 0 for n, layer in shared_layers(shared).items()}
    start = {n: layer.weight.detach() for n, layer in shared_layers(shared).items()}
    run = OPTIMIZERS[optimizer](shared.parameters())
    for _ in range(4):
        run.zero_grad()
        F.cross_entropy(shared(x), torch.arange(len(x)) % 3).backward()
        with torch.no_grad():
            run.step()
    for n, layer in shared_layers(shared).items():
        weight = layer.weight.detach()
        assert not weight[masks[n]].any() and len(weight[~masks[n]].unique()) <= 3
        assert not torch.equal(weight, start[n])


@each_network
def test_each_weight_takes_the_nearest_centre_of_its_own_layer(name):
    model, _ = network(name)
    shared = share(pruning.prune(model, 0.3, per_layer=True), 4)
    before = pruning.without_masks(pruning.prune(model, 0.3, per_layer=True))
    for n, layer in shared_layers(shared).items():
        old, new = before.get_submodule(n).weight, layer.weight
        there = old != 0
        assert torch.equal(there, layer.index > 0)
        best = (old[there][:, None] - layer.codebook).abs().amin(1)
        assert torch.allclose((old - new)[there].abs(), best, atol=1e-7)
        centres = kmeans(old[there], 4)
        assert torch.allclose(layer.codebook.double(), centres)


@each_network
def test_the_given_network_and_all_random_state_stay_as_they_were(name):
    model, x = network(name)
    pruned = pruning.prune(model, 0.5, per_layer=True)
    for one in (model, pruned):
        before = all_of(one)
        shared = share(one, 3)
        frozen = all_of(shared)
        without_sharing(shared)
        assert same(before, all_of(one)) and same(frozen, all_of(shared)) and one.training


def test_a_network_of_every_kind_is_left_as_it_was():
    net = Net()
    net(torch.rand(20, 6)).sum().backward()
    before = all_of(net)
    code(share(net, 4))
    assert same(before, all_of(net))


@each_network
def test_the_plain_network_is_one_that_its_constructor_makes(name):
    model, x = network(name)
    plain = without_sharing(share(model, 5))
    assert list(plain.state_dict()) == list(model.state_dict())
    assert [n for n, _ in plain.named_parameters()] == [n for n, _ in model.named_parameters()]
    assert [type(m) for m in plain.modules()] == [type(m) for m in model.modules()]
    ZOO[name][0](7).load_state_dict(plain.state_dict())
    again = share(plain, 2)
    assert all(len(layer.codebook) <= 2 for layer in shared_layers(again).values())


def test_shared_weights_survive_a_state_dict_and_a_copy():
    model, x = network("LeNet5")
    shared = share(model, 5)
    other = copy.deepcopy(shared)
    with torch.no_grad():
        for p in other.parameters():
            p.zero_()
    other.load_state_dict(shared.state_dict())
    assert torch.equal(other.eval()(x), shared.eval()(x))


def test_layers_can_have_numbers_of_their_own_and_can_be_left_out():
    model, _ = network("MLP")
    shared = share(model, {"layers.0": 4, "layers.2": 2})
    assert list(shared_layers(shared)) == ["layers.0", "layers.2"]
    assert shared.report.layers == {"layers.0": [108, 4], "layers.2": [32, 2]}
    both = share(shared, {"layers.1": 7})
    assert list(shared_layers(both)) == ["layers.0", "layers.1", "layers.2"]


def test_precision_frozen_layers_and_missing_biases_are_kept():
    model = nn.Sequential(nn.Linear(6, 5, bias=False), nn.ReLU(), nn.Linear(5, 3)).double()
    model[2].weight.requires_grad_(False)
    shared = share(model, 4)
    assert shared[0].codebook.dtype == torch.float64 and shared[0].bias is None
    assert shared[0].codebook.requires_grad and not shared[2].codebook.requires_grad
    plain = without_sharing(shared)
    assert plain[0].bias is None and not plain[2].weight.requires_grad
    assert shared(torch.rand(2, 6).double()).dtype == torch.float64


def test_the_loop_of_the_course_and_importances_take_it():
    model, x = network("MLP")
    shared = share(pruning.prune(model, 0.5), 4)
    training.train(shared, Split(x, torch.arange(12) % 4), epochs=2, optimizer="adam", lr=1e-2)
    assert size(shared, x)["macs"] == size(model, x)["macs"]
    b = importance(shared, x)
    assert [i.shape for i in b] == [p.shape for p in shared.parameters()]


# --- what is refused ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clusters", "message"),
    [
        (0, "clusters is 0; it must be a whole number, 1 or more"),
        (2.5, "clusters is 2.5; it must be a whole number"),
        (257, "clusters is 257; it may be 256"),
        ({"layers.9": 4}, r"clusters names 'layers.9'; the layers are \['layers.0'"),
        (200, "nothing was removed: all 18 values are still there"),
        ({}, "nothing was removed"),
    ],
)
def test_numbers_of_clusters_out_of_range_are_refused(clusters, message):
    with pytest.raises(ValueError, match=message):
        share(MLP(4, 3, 2), clusters)


def test_networks_without_weights_to_share_are_refused():
    empty = MLP(4, 3, 2)
    nn.init.zeros_(empty.layers[1].weight)
    with pytest.raises(ValueError, match="layers.1 has no weight but zeros"):
        share(empty, 4)
    with pytest.raises(ValueError, match="0 shares its weight with another layer"):
        share(tied(), 4)
    with pytest.raises(ValueError, match="no linear or convolutional layer"):
        share(share(MLP(4, 3, 2), 4), 2)
    with pytest.raises(ValueError, match="values has values that are not finite"):
        kmeans(torch.tensor([1.0, float("nan")]), 2)
    with pytest.raises(ValueError, match="values is empty"):
        kmeans(torch.zeros(0), 2)
    assert clustering.MOST == 256

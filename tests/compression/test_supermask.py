"""Supermasks: what is learned is a choice, and never a weight."""

import copy
import re

import pytest
import torch
from torch import nn

from lllcourse import training
from lllcourse.compression import pruning
from lllcourse.compression.pruning import mask_in
from lllcourse.compression.supermask import chosen, learn_mask, scored, signed_constants
from lllcourse.data import digits
from lllcourse.models import MLP

from .zoo import SMALL

each_network = pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)


def push(model):
    """As if trained: whatever may be moved is moved, scores by more than they start with."""
    draws = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p.add_(torch.randn(p.shape, generator=draws))


def refused(message):
    return pytest.raises(ValueError, match=re.escape(message))


def test_weights_are_chosen_by_the_sign_of_their_score_and_the_gradient_goes_straight_through():
    theta = torch.tensor([2.0, -3.0, 4.0, 5.0], requires_grad=True)
    score = torch.tensor([0.1, -0.1, 0.0, 7.0], requires_grad=True)
    w = chosen(theta, score)
    assert w.tolist() == [2.0, 0.0, 0.0, 5.0]
    (w * torch.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    assert score.grad.tolist() == [2.0, -30.0, 400.0, 5000.0]  # dL/dw times theta, for all of them
    assert theta.grad is None


def test_a_step_on_the_scores_is_the_one_of_the_formula():
    """s <- s - lr * dL/dw * theta, with dL/dw from a plain network that has the chosen weights."""
    model, x, y = MLP(6, 5, 3), torch.rand(9, 6), torch.arange(9) % 3
    searching = scored(model, seed=4)
    scores = [p for p in searching.parameters() if p.requires_grad]
    plain = MLP(6, 5, 3)
    plain.load_state_dict(model.state_dict())
    with torch.no_grad():
        for layer, s in zip(plain.layers, scores, strict=True):
            layer.weight.mul_(s > 0)
    before = [s.detach().clone() for s in scores]
    for net in (plain, searching):
        nn.functional.cross_entropy(net(x), y).backward()
    for layer, own, s, old in zip(plain.layers, model.layers, scores, before, strict=True):
        assert torch.allclose(s.grad, layer.weight.grad * own.weight, atol=1e-7)
        assert torch.equal(s, old)


@each_network
def test_only_scores_can_be_trained(make):
    searching = scored(make())
    free = {n for n, p in searching.named_parameters() if p.requires_grad}
    layers = pruning.prunable(make())
    assert free == {f"{n}.parametrizations.weight.0.score" for n in layers}


@each_network
def test_no_weight_is_changed_and_every_other_one_is_a_zero(make):
    model = make()
    found = learn_mask(model, push)
    masks, before = mask_in(found), dict(model.named_parameters())
    for name, p in pruning.without_masks(found).named_parameters():
        mask = masks.get(name.removesuffix(".weight"), True)
        assert torch.equal(p, before[name] * mask), name
    assert 0 < found.report.after < found.report.before
    assert found.report.after == sum(int(m.sum()) for m in masks.values())


@each_network
def test_what_is_given_is_not_changed_and_what_comes_back_can_be_trained(make):
    model = make()
    before = copy.deepcopy(model.state_dict())
    found = learn_mask(model, push)
    assert all(torch.equal(v, before[n]) for n, v in model.state_dict().items())
    assert all(p.requires_grad for p in [*model.parameters(), *found.parameters()])


def test_scores_follow_from_their_seed_and_not_from_the_networks():
    model = MLP(20, 30, 5, seed=0)
    one, again, other = (scored(model, seed=s).layers[0].weight != 0 for s in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert one.double().mean() == pytest.approx(0.5, abs=0.06)
    # from the plain seed a score would have the sign of its weight
    assert (one == (model.layers[0].weight > 0)).double().mean() < 0.6


@each_network
def test_signed_constants_keep_every_sign_and_have_one_size_a_layer(make):
    model = make()
    before, after = pruning.prunable(model), pruning.prunable(signed_constants(model, 0.5))
    for name, layer in after.items():
        assert torch.equal(layer.weight.sign(), before[name].weight.sign())
        size = (2 / (0.5 * layer.weight[0].numel())) ** 0.5
        assert torch.allclose(layer.weight.abs(), torch.full_like(layer.weight, size))


def test_signed_constants_keep_the_size_of_activations():
    """The mean square stays where it was, through ten layers with half of the weights chosen, for many networks."""
    x = torch.randn(50, 300, generator=torch.Generator().manual_seed(0)).relu() * 2**0.5
    ratios = []
    for seed in range(8):
        model = scored(signed_constants(MLP(*[300] * 11, seed=seed), 0.5), seed=seed)
        for layer in model.layers:
            layer.bias.data.zero_()
        with torch.no_grad():
            ratios.append(model.features(x).square().mean() / x.square().mean())
    assert 0.5 < torch.stack(ratios).mean() < 2


def test_batch_norm_has_the_statistics_of_the_search():
    model = SMALL["LeNet5"]()

    def look(model):
        push(model)
        model.train()(torch.rand(8, 256))

    found = learn_mask(model, look)
    assert found.norms[0].num_batches_tracked == 1 and model.norms[0].num_batches_tracked == 0


# --- what is refused ----------------------------------------------------------------------------------------------


def test_a_network_with_masks_is_refused():
    with refused("model has masks already; give the network as it was before it was pruned"):
        learn_mask(pruning.prune(MLP(20, 12, 5), 0.5), push)


def test_a_choice_of_everything_is_no_choice():
    def all_on(model):
        for p in model.parameters():
            p.data.fill_(1)

    with refused("nothing was removed"):
        learn_mask(MLP(20, 12, 5), all_on)


def test_a_layer_of_which_nothing_is_chosen_is_refused():
    def last_off(model):
        model.layers[-1].parametrizations.weight[0].score.data.fill_(-1)

    with refused("layers.1 would lose all its weights"):
        learn_mask(MLP(20, 12, 5), last_off)


@pytest.mark.parametrize("share", [0, -0.5, 1.5])
def test_a_share_out_of_range_is_refused(share):
    with refused(f"share is {share}; it must be above 0 and at most 1"):
        signed_constants(MLP(20, 12, 5), share)


# --- what it shows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [10, 11, 12])
def test_a_mask_over_untrained_weights_reads_digits_and_the_inverted_one_does_not(seed):
    """Seeds 13 to 16 give .89 to .90, and .08 to .13."""
    data, constants = digits(), signed_constants(MLP(784, 100, 10, seed=seed))

    def train(model):
        training.train(model, data.train[:1500], epochs=5, lr=4.0, seed=seed)

    found = learn_mask(constants, train, seed=seed)
    inverted = pruning.masked(constants, {n: ~m for n, m in mask_in(found).items()})
    assert training.evaluate(found, data.test) > 0.8
    assert training.evaluate(inverted, data.test) < 0.3

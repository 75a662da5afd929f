"""Masks over weights: exactly as many zeros as asked for, and zero for good."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune as torch_prune

from lllcourse import training
from lllcourse.compression import pruning
from lllcourse.compression.pruning import masked, prune, without_masks
from lllcourse.data import Split
from lllcourse.lifelong.ewc import importance
from lllcourse.models import MLP

from ..looking import same
from .zoo import ZOO, network, state

each_network = pytest.mark.parametrize("name", ZOO)


def weights(model):
    return [layer.weight.detach() for layer in pruning.prunable(model).values()]


def zeros(model):
    return sum(int((w == 0).sum()) for w in weights(model))


# --- which weights --------------------------------------------------------------------


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=30), min_size=1, max_size=4),
    st.floats(0, 0.999),
    st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_the_sparsity_is_reached_exactly_ties_included(scores, sparsity, per_layer):
    scores = [torch.tensor(s, dtype=torch.float32) for s in scores]
    masks = pruning.mask_of(scores, sparsity, per_layer)
    parts = [(s, m) for s, m in zip(scores, masks, strict=True)]
    if not per_layer:
        parts = [(torch.cat(scores), torch.cat(masks))]
    for s, m in parts:
        assert int(m.sum()) == round((1 - sparsity) * len(s))
        if m.any() and not m.all():
            assert s[m].min() >= s[~m].max()
            tie = s == s[m].min()  # of equals the first are kept
            assert torch.equal(m[tie], torch.arange(int(tie.sum())) < m[tie].sum())


@each_network
@pytest.mark.parametrize("per_layer", [False, True])
def test_the_masks_are_those_of_torch(name, per_layer):
    model, _ = network(name)
    ours = prune(model, 0.6, per_layer=per_layer)
    theirs = copy.deepcopy(model)
    layers = [(layer, "weight") for layer in pruning.prunable(theirs).values()]
    if per_layer:
        for layer, _ in layers:
            torch_prune.l1_unstructured(layer, "weight", amount=0.6)
    else:
        torch_prune.global_unstructured(layers, torch_prune.L1Unstructured, amount=0.6)
    for (layer, _), mask in zip(layers, pruning.mask_in(ours).values(), strict=True):
        assert torch.equal(mask, layer.weight_mask.bool())


def test_any_scores_decide_importances_of_part_one_among_them():
    model, x = network("MLP")
    b = importance(model, x)
    found = prune(model, 0.5, b)
    flat = torch.cat([b[0].flatten(), b[2].flatten(), b[4].flatten()])
    kept = torch.cat([m.flatten() for m in pruning.mask_in(found).values()])
    assert int(kept.sum()) == round(len(flat) / 2) and flat[kept].min() >= flat[~kept].max()


def test_pruning_again_counts_what_is_gone_and_brings_nothing_back():
    model, _ = network("MLP")
    once = prune(model, 0.5)
    twice = prune(once, 0.8)
    assert zeros(twice) == round(0.8 * 212) and zeros(once) == 106
    for first, second in zip(*(pruning.mask_in(m).values() for m in (once, twice)), strict=True):
        assert not (second & ~first).any()
    assert same(state(without_masks(twice)), state(without_masks(prune(model, 0.8))))
    with pytest.raises(ValueError, match="nothing was removed"):
        prune(twice, 0.5)


# --- zero for good --------------------------------------------------------------------

OPTIMIZERS = {
    "descent": lambda p: training.OPTIMIZERS["sgd"](p, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.1),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.9),
}


@each_network
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_masked_weights_stay_zero_under_every_optimizer_and_across_state_dict(name, optimizer):
    model, x = network(name)
    y = torch.arange(len(x)) % 3
    pruned = prune(model, 0.6, per_layer=True)
    before, masks = zeros(pruned), pruning.mask_in(pruned)
    run = OPTIMIZERS[optimizer](pruned.parameters())
    start = [w.clone() for w in weights(pruned)]
    for step in range(6):
        if step == 3:  # saved, and read into a network that is made anew
            stored = copy.deepcopy(pruned.state_dict())
            pruned = prune(ZOO[name][0](9), 0.3, per_layer=True)
            pruned.load_state_dict(stored)
            run = OPTIMIZERS[optimizer](pruned.parameters())
        run.zero_grad()
        F.cross_entropy(pruned(x), y).backward()
        with torch.no_grad():
            run.step()
    assert zeros(pruned) == before == zeros(without_masks(pruned))
    for now, was, mask in zip(weights(pruned), start, masks.values(), strict=True):
        assert not now[~mask].any() and not torch.equal(now, was)


def test_the_loop_of_the_course_trains_what_is_left():
    model, x = network("MLP")
    pruned = prune(model, 0.7)
    before = zeros(pruned)
    for optimizer in training.OPTIMIZERS:
        training.train(pruned, Split(x, torch.arange(12) % 4), epochs=3, optimizer=optimizer, lr=0.01)
        assert zeros(pruned) == before


@each_network
def test_a_masked_network_is_the_plain_one_with_zeros(name):
    model, x = network(name)
    pruned = prune(model, 0.5, per_layer=True)
    plain = without_masks(pruned)
    assert torch.equal(pruned.eval()(x), plain.eval()(x))
    assert plain.state_dict().keys() == model.state_dict().keys()
    assert [type(m) for m in plain.modules()] == [type(m) for m in model.modules()]
    assert not any(hasattr(m, "mask") for m in plain.modules())


@each_network
def test_the_given_network_is_not_changed(name):
    model, _ = network(name)
    before, drawn = state(model), torch.get_rng_state()
    once = prune(model, 0.5, per_layer=True)
    frozen = state(once)
    prune(once, 0.7, per_layer=True)
    without_masks(once)
    assert same(before, state(model)) and same(frozen, state(once)) and model.training
    assert torch.equal(drawn, torch.get_rng_state())


def test_iterating_prunes_and_trains_in_turn():
    model, x = network("MLP")
    seen = []

    def fine_tune(model):
        seen.append(zeros(model))
        training.train(model, Split(x, torch.arange(12) % 4), epochs=1)

    last = pruning.iterate(model, [0.2, 0.5, 0.8], fine_tune)
    assert seen == [round(s * 212) for s in (0.2, 0.5, 0.8)] and zeros(last) == seen[-1]


def test_importances_of_a_masked_network_are_zero_where_it_is_masked():
    model, x = network("MLP")
    pruned = prune(model, 0.5)
    b = importance(pruned, x)
    for mask, values in zip(pruning.mask_in(pruned).values(), b[::2], strict=True):
        assert not values[~mask].any() and values[mask].any()


def test_the_report_counts_layer_by_layer():
    model, _ = network("MLP")
    pruned = prune(model, 0.5)
    left = {n: [m.numel(), int(m.sum())] for n, m in pruning.mask_in(pruned).items()}
    assert pruned.report.layers == left and (pruned.report.before, pruned.report.after) == (212, 106)
    assert str(pruned.report).startswith("weights: 106 of 212 left\n  layers.0: ")
    again = prune(pruned, 0.75)
    assert (again.report.before, again.report.after) == (106, 53)


# --- what is refused ------------------------------------------------------------------


@pytest.mark.parametrize("sparsity", [-0.1, 1, 1.5, float("nan")])
def test_a_share_that_leaves_nothing_or_is_none_is_refused(sparsity):
    with pytest.raises(ValueError, match=f"sparsity is {sparsity}; it must be a share from 0 on and below 1"):
        prune(MLP(4, 3, 2), sparsity)


def test_a_call_that_changes_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing was removed: all 18 weights"):
        prune(MLP(4, 3, 2), 0.01)


def test_a_layer_that_would_lose_everything_is_named():
    model = MLP(4, 5, 2)
    model.layers[1].weight.data /= 1000
    with pytest.raises(ValueError, match=r"layers.1 would lose all its weights.*per_layer=True"):
        prune(model, 0.9)
    assert prune(model, 0.8, per_layer=True).report.layers["layers.1"] == [10, 2]


def tied():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.LSTM(3, 3), "no linear or convolutional layer to prune"),
        (tied, "0 shares its weight with another layer"),
        (lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)), nn.Linear(4, 2)), "weight norm"),
    ],
)
def test_networks_that_cannot_be_masked_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        prune(make(), 0.5)


def test_scores_and_masks_that_do_not_fit_are_refused():
    model = MLP(4, 3, 2)
    ones = [torch.ones_like(p) for p in model.parameters()]
    with pytest.raises(ValueError, match=r"one tensor for each parameter: \[\(3, 4\), \(3,\), \(2, 3\), \(2,\)\]"):
        prune(model, 0.5, ones[:2])
    with pytest.raises(ValueError, match=r"scores\[0\] has values that are not finite"):
        prune(model, 0.5, [ones[0] / 0, *ones[1:]])
    with pytest.raises(ValueError, match="scores has values below 0"):
        prune(model, 0.5, [-one for one in ones])
    with pytest.raises(ValueError, match=r"no layer 'layers.2' with weights of shape \(2, 3\); there are"):
        masked(model, {"layers.2": torch.ones(2, 3, dtype=torch.bool)})

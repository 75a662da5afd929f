"""Lottery tickets: what each restart keeps and what it draws, and the rounds that find a ticket."""

import copy
import re

import pytest
import torch

from lllcourse import training
from lllcourse.compression import dense, pruning, tickets
from lllcourse.compression.pruning import mask_in
from lllcourse.data import digits
from lllcourse.models import MLP, LeNet5

from ..looking import same
from .zoo import SMALL, state

each_network = pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
KINDS = list(tickets.RESTARTS)


def pair(make):
    """An untrained network, and another one in its place, as if trained from it, pruned."""
    return make(), pruning.prune(make(seed=7), 0.6)


def weights(model):
    return {name: layer.weight.detach() for name, layer in pruning.prunable(model).items()}


@each_network
def test_a_ticket_is_the_initial_weights_times_the_mask_exactly(make):
    initial, pruned = pair(make)
    ticket, masks = tickets.restart(pruned, initial), mask_in(pruned)
    for name, w in weights(ticket).items():
        assert torch.equal(w, weights(initial)[name] * masks[name])
        assert torch.equal(mask_in(ticket)[name], masks[name])


@each_network
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_keeps_the_mask_and_all_that_has_none(make, kind):
    initial, pruned = pair(make)
    new = tickets.restart(pruned, initial, kind, seed=3)
    for name, w in weights(new).items():
        assert torch.equal(w != 0, mask_in(pruned)[name])
    plain = dict(pruning.without_masks(new).named_parameters())
    for name, p in initial.named_parameters():
        if name.removesuffix(".weight") not in mask_in(initial):
            assert torch.equal(p, plain[name]), name


@each_network
def test_signs_are_kept_exactly_or_drawn_anew_as_the_kind_says(make):
    initial, pruned = pair(make)
    for kind in KINDS:
        new = tickets.with_weights(initial, kind, seed=3)
        kept = [(w.sign() == weights(initial)[n].sign()).double().mean() for n, w in weights(new).items()]
        if kind in ("ticket", "signs", "constant"):
            assert all(share == 1 for share in kept), kind
        else:
            assert all(share < 0.9 for share in kept), kind


@each_network
def test_magnitudes_are_kept_exactly_or_constant_or_new_as_the_kind_says(make):
    initial, _ = pair(make)
    new = {kind: weights(tickets.with_weights(initial, kind, seed=3)) for kind in KINDS}
    for name, old in weights(initial).items():
        assert torch.equal(new["magnitudes"][name].abs(), old.abs())
        assert torch.equal(new["signs"][name].abs(), new["random"][name].abs())
        for kind in ("constant", "constant, new signs"):
            assert torch.allclose(new[kind][name].abs(), old.std().expand(old.shape))
        assert torch.equal(new["magnitudes"][name].sign(), new["random"][name].sign())


def test_new_weights_follow_from_their_seed_and_are_drawn_as_initial_ones_are():
    initial = MLP(784, 300, 10)
    one, again, other = (weights(tickets.with_weights(initial, "random", seed=s)) for s in (1, 1, 2))
    for name, w in one.items():
        assert torch.equal(w, again[name]) and not torch.equal(w, other[name])
        bound = w.shape[1] ** -0.5
        assert w.abs().max() <= bound
        assert w.std() == pytest.approx(bound / 3**0.5, rel=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_new_weights_are_not_those_of_a_network_with_the_same_seed(seed):
    """From the plain seed the generator would give the first layer of `initial` a second time."""
    initial = MLP(20, 12, 5, seed=seed)
    for name, w in weights(tickets.with_weights(initial, "random", seed=seed)).items():
        assert not (w == weights(initial)[name]).any()


def test_the_draws_of_others_are_left_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    tickets.restart(*reversed(pair(SMALL["MLP"])), "random")
    assert torch.equal(before, torch.get_rng_state())


@each_network
def test_what_is_given_is_not_changed(make):
    initial, pruned = pair(make)
    before = state(initial), state(pruned)
    new = tickets.restart(pruned, initial, "signs")
    for p in new.parameters():
        p.data.add_(1)
    assert same(before, (state(initial), state(pruned)))


def test_a_masked_weight_stays_zero_in_training():
    initial, pruned = dense.untrained("LeNet-300-100"), pruning.prune(dense.untrained("LeNet-300-100", 1), 0.9)
    ticket = tickets.restart(pruned, initial)
    dense.train(ticket, "LeNet-300-100", data=digits().train[:64], epochs=1)
    assert all(torch.equal(w == 0, ~mask_in(pruned)[n]) for n, w in weights(ticket).items())


def test_the_report_tells_how_many_weights_are_left():
    initial, pruned = pair(SMALL["MLP"])
    report = tickets.restart(pruned, initial).report
    assert report.before == 20 * 12 + 12 * 8 + 8 * 5
    assert report.after == sum(int(m.sum()) for m in mask_in(pruned).values())


# --- rounds -------------------------------------------------------------------------------------------------------


def drift(model):
    """As if trained: every weight is moved a little, each by its own amount."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.arange(p.numel()).view_as(p).sin())


def drifted(initial):
    trained = copy.deepcopy(initial)
    drift(trained)
    return trained


def test_rounds_are_train_prune_and_go_back():
    """Against the loop written out by hand."""
    initial = SMALL["MLP"]()
    trained = drifted(initial)
    found = list(tickets.rounds(initial, trained, [0.5, 0.8], drift))
    for sparsity, (ticket, after) in zip([0.5, 0.8], found, strict=True):
        w = weights(trained)
        flat = torch.cat([v.abs().flatten() for v in w.values()])
        border = flat.sort(descending=True).values[round((1 - sparsity) * len(flat)) - 1]
        trained = drifted(ticket)
        for name in w:
            mask = w[name].abs() >= border
            assert torch.equal(weights(ticket)[name], weights(initial)[name] * mask)
            assert torch.equal(weights(trained)[name], weights(after)[name])


def test_each_round_removes_from_what_the_last_one_left():
    initial = SMALL["LeNet5"]()
    first, second = (ticket for ticket, _ in tickets.rounds(initial, drifted(initial), [0.3, 0.6], drift))
    for name, mask in mask_in(second).items():
        assert (mask <= mask_in(first)[name]).all()
    assert second.report.after == round(0.4 * second.report.before)


def test_rewinding_starts_from_the_early_weights():
    initial, pruned = pair(SMALL["MLP"])
    early = drifted(initial)
    for name, w in weights(tickets.restart(pruned, early)).items():
        assert torch.equal(w, weights(early)[name] * mask_in(pruned)[name])


# --- what is refused ----------------------------------------------------------------------------------------------


def refused(message):
    return pytest.raises(ValueError, match=re.escape(message))


def test_masks_that_do_not_fit_are_refused():
    pruned = pruning.prune(MLP(20, 12, 5), 0.5)
    with refused("initial has layers of the shapes"):
        tickets.restart(pruned, MLP(20, 13, 5))
    with refused("give the network from which pruned was trained"):
        tickets.restart(pruned, LeNet5())


def test_an_unknown_kind_is_refused_with_the_kinds_that_there_are():
    initial, pruned = pair(SMALL["MLP"])
    with refused("kind is 'winning'; it must be one of 'ticket', 'random'"):
        tickets.restart(pruned, initial, "winning")


def test_a_network_without_masks_is_no_pruned_one():
    with refused("pruned has no mask, so every weight would start again: prune it first"):
        tickets.restart(MLP(20, 12, 5), MLP(20, 12, 5))


def test_initial_weights_with_masks_are_refused():
    _, pruned = pair(SMALL["MLP"])
    with refused("initial has masks; give the network as it was before it was pruned"):
        tickets.restart(pruned, pruned)


@pytest.mark.parametrize("seed", [0.5, "0", None])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    initial, pruned = pair(SMALL["MLP"])
    with refused("seed is"):
        tickets.restart(pruned, initial, "random", seed=seed)


# --- what it shows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [10, 11, 12])
def test_a_ticket_learns_what_new_weights_under_its_mask_do_not(seed):
    """After few epochs on few digits, at a thirtieth of the weights. The margin was measured on seeds 13 to 16."""
    data, initial = digits(), MLP(784, 100, 10, seed=seed)

    def train(model):
        training.train(model, data.train[:1000], epochs=10, lr=0.1, seed=seed)

    full = copy.deepcopy(initial)
    train(full)
    ((start, trained),) = tickets.rounds(initial, full, [0.97], train)
    random = tickets.restart(start, initial, "random", seed=seed)
    train(random)
    gap = training.evaluate(trained, data.test) - training.evaluate(random, data.test)
    assert gap > 0.02

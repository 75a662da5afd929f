"""A budget in bytes: the file fits, and not much more would have."""

import pytest
import torch

from lllcourse.compression import budget, pruning
from lllcourse.compression.budget import pruned_to, pruned_within, sizes, within
from lllcourse.models import MLP, LeNet5, Reader

from ..looking import same, state

NETWORKS = {
    "MLP": lambda: MLP(100, 40, 10),
    "LeNet5": lambda: LeNet5((4, 8), 40),
    "Reader": lambda: Reader(9, 4),
}
each_network = pytest.mark.parametrize("name", ["MLP", "LeNet5"])


def nothing(model):
    """No training: what is tested here does not depend on it."""


@each_network
@pytest.mark.parametrize("share", [0.6, 0.3])
def test_the_file_fits_and_one_with_a_few_per_cent_more_weights_does_not(name, share):
    model = NETWORKS[name]()
    limit = share * sizes(model, 8)[0]
    few = pruned_to(model, limit, 8)
    left, every = few.report.after, few.report.before
    assert sizes(few, 8)[0] <= limit
    assert sizes(pruning.prune(model, 1 - 1.04 * left / every), 8)[0] > limit


@pytest.mark.parametrize("name", NETWORKS)
def test_within_gives_a_file_below_the_limit_and_changes_nothing_else(name):
    model = NETWORKS[name]()
    model.eval()
    limit = int((0.9 if name == "Reader" else 0.4) * sizes(model, 4, 4)[0])
    before = state(model)
    result = within(model, limit, [0.1, 0.5, 0.99], 4, nothing, nothing, few=4)
    assert result.bytes <= limit and same(before, state(model))
    assert type(result.restore()) is type(model)


def test_training_follows_every_step_but_those_that_prune_too_far():
    model, seen = MLP(100, 40, 10), []

    def train(net):
        seen.append(budget.zeros(net))

    limit = sizes(pruning.prune(model, 0.8), 8)[0]
    few = pruned_within(model, limit, [0.3, 0.6, 0.9, 0.95], 8, train)
    assert seen[:2] == pytest.approx([0.3, 0.6]) and len(seen) == 3 and 0.8 < seen[2] < 0.85
    assert sizes(few, 8)[0] <= budget.ROOM * limit


def test_what_training_adds_is_pruned_once_more():
    """Training moves all weights apart, so that their indices take more bits than before."""
    torch.manual_seed(0)
    model = MLP(100, 40, 10)
    for layer in model.layers:
        layer.weight.data = layer.weight.data.sign() * (0.1 + 1e-4 * torch.rand_like(layer.weight))

    def train(net):
        for layer in net.layers:
            layer.weight.data *= 1 + 9 * torch.rand_like(layer.weight)

    limit = sizes(model, 8)[0] // 3
    result = within(model, limit, [], 8, train, nothing)
    assert result.bytes <= limit


def test_centres_that_take_more_than_was_left_for_them_are_an_error(monkeypatch):
    monkeypatch.setattr(budget, "ROOM", 1.2)
    model = MLP(100, 40, 10)
    limit = sizes(model, 8)[0] // 2
    with pytest.raises(ValueError, match=f"limit is {limit:,}.*fewer clusters"):
        within(model, limit, [], 8, nothing, nothing)


def test_limits_that_need_no_pruning_or_leave_nothing_are_refused():
    model = MLP(100, 40, 10)
    with pytest.raises(ValueError, match="limit is 99,999 bytes, and the network fits"):
        pruned_to(model, 99_999, 8)
    with pytest.raises(ValueError, match="limit is 20 bytes, too few for the layers"):
        pruned_to(model, 20, 8)


def test_masks_of_an_earlier_pruning_are_kept():
    model = pruning.prune(MLP(100, 40, 10), 0.5)
    few = pruned_to(model, sizes(model, 8)[0] // 2, 8)
    was, now = pruning.mask_in(model), pruning.mask_in(few)
    assert all(bool((was[name] | ~mask).all()) for name, mask in now.items())

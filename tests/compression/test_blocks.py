"""The blocks of five small architectures: weights as their formulas say, and what each promises of its channels."""

import pytest
import torch
from torch import nn

from lllcourse import training
from lllcourse.compression import footprint
from lllcourse.compression.blocks import BLOCKS, BlockNet, Fire, Ghost, Mobile, Shuffle, shuffle
from lllcourse.compression.separable import ratio
from lllcourse.data import Split

PAIRS = [(16, 32), (32, 32), (8, 16)]


def by_formula(name, i, o):
    around = i * o * (i != o)
    return {
        "plain": 9 * i * o,
        "Fire": i * o // 8 + 10 * (o // 8) * (o // 2),
        "Mobile": 9 * i + i * o,
        "Xception": 9 * i + i * o + 9 * o + o * o + around,
        "Shuffle": (i + o) * o // 4 // 2 + 9 * o // 4 + around,
        "Ghost": i * o // 2 + 9 * o // 2,
    }[name]


@pytest.mark.parametrize("i, o", PAIRS)
@pytest.mark.parametrize("name", BLOCKS)
def test_weights_are_those_of_the_formula_and_each_is_used_at_every_place(name, i, o):
    block, x = BLOCKS[name](i, o), torch.rand(2, i, 6, 5)
    weights = [m.weight for m in block.modules() if isinstance(m, nn.Conv2d)]
    assert sum(w.numel() for w in weights) == by_formula(name, i, o)
    assert footprint.macs(block, x) == 30 * by_formula(name, i, o)
    assert block(x).shape == (2, o, 6, 5)


@pytest.mark.parametrize("name", BLOCKS)
def test_every_output_reads_every_input_and_looks_around(name):
    """In Shuffle thanks to its shuffling alone."""
    torch.manual_seed(0)
    block = BLOCKS[name](16, 16).eval()
    for m in block.modules():
        if isinstance(m, nn.ReLU):
            m.inplace = False
        if isinstance(m, nn.Conv2d):
            nn.init.uniform_(m.weight, 0.1, 1)  # no ReLU closes a way
    x = torch.rand(1, 16, 5, 5, requires_grad=True)
    y = block(x)
    around = torch.zeros(5, 5)
    for o in range(16):
        (g,) = torch.autograd.grad(y[0, o, 2, 2], x, retain_graph=True)
        assert (g[0, :, 2, 2] != 0).all(), o
        around += (g[0] != 0).any(0)
    assert (around > 0).sum() >= 9


def test_without_shuffling_groups_never_meet():
    torch.manual_seed(0)
    block = Shuffle(16, 16)
    block.groups = 1  # the order of the channels stays
    block.around = nn.Identity()
    for m in block.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.uniform_(m.weight, 0.1, 1)
    x = torch.rand(1, 16, 3, 3, requires_grad=True)
    (g,) = torch.autograd.grad(block.eval().block(x)[0, 0].sum(), x)
    assert (g[0, :8] != 0).all() and not g[0, 8:].any()


def test_shuffled_channels_of_every_group_reach_every_group():
    x = torch.arange(12.0).view(1, 12, 1, 1)
    for groups in (1, 2, 3, 4, 6):
        mixed = shuffle(x, groups).flatten()
        assert mixed.sort().values.tolist() == list(range(12))
        if 12 % groups**2 == 0:
            part = mixed.view(groups, -1) // (12 // groups)
            assert all(set(p.tolist()) == set(range(groups)) for p in part)


def test_half_of_the_ghosts_maps_are_made_from_the_other_half():
    block, x = Ghost(8, 16).eval(), torch.rand(2, 8, 5, 5)
    y = block(x)
    assert torch.equal(y[:, :8], block.primary(x)) and torch.equal(y[:, 8:], block.cheap(y[:, :8]))


def test_mobile_has_the_ratio_of_the_formula():
    macs = [footprint.macs(block(16, 32), torch.rand(1, 16, 6, 6)) for block in (Mobile, BLOCKS["plain"])]
    assert macs[0] / macs[1] == pytest.approx(ratio(32, 3))


@pytest.mark.parametrize("name", BLOCKS)
def test_a_network_of_blocks_follows_from_its_seed_and_learns(name):
    state = torch.get_rng_state()
    model = BlockNet(BLOCKS[name], (8, 16), 3, image=(1, 8, 8), seed=1)
    assert torch.equal(state, torch.get_rng_state())
    again = BlockNet(BLOCKS[name], (8, 16), 3, image=(1, 8, 8), seed=1)
    assert all(map(torch.equal, model.parameters(), again.parameters()))
    y = torch.arange(60) % 3
    x = torch.rand(60, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.5
    x[:, 2:5] += 0.5 * (y == 1)[:, None, None]
    x[:, :, 2:5] += 0.5 * (y == 2)[:, None, None]
    losses = training.train(model, Split(x.flatten(1), y), epochs=8, batch_size=20, lr=0.1)
    assert losses[-1] < 0.7 * losses[0]
    assert model(x.flatten(1)).shape == (60, 3) and model.features(x).shape == (60, 16)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Fire(8, 12), "outputs is 12; it must be a multiple of 8"),
        (lambda: Shuffle(9, 16), "inputs is 9; it must be a multiple of 2"),
        (lambda: Ghost(8, 7), "outputs is 7"),
        (lambda: BlockNet(Mobile, ()), "channels is empty"),
    ],
)
def test_channels_that_do_not_fit_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()

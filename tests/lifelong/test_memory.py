"""The reservoir is a uniform sample of all it was offered."""

import torch

from lllcourse.lifelong.memory import Reservoir


def test_the_reservoir_is_a_uniform_sample_of_what_it_has_seen():
    """30 examples, offered in parts, and 6 places: over 3,000 seeds each example is kept equally often.

    The counts are not independent (6 a seed), which shrinks chi-square by (1 - 6/30): scaled back, it is chi-square
    with 29 degrees of freedom, and exceeds 69 with probability less than 1e-4 / 2.
    """
    counts = torch.zeros(30)
    for seed in range(3000):
        memory = Reservoir(6, seed)
        for part in torch.arange(30).split([4, 11, 15]):
            memory.add(part)
        assert len(memory.kept[0].unique()) == 6
        counts[memory.kept[0]] += 1
    expected = 3000 * 6 / 30
    chi2 = ((counts - expected) ** 2 / expected).sum() / (1 - 6 / 30) * 29 / 30
    assert chi2 < 69


def test_every_pair_of_examples_can_be_kept_and_none_is_favoured():
    """Of 5 examples 2 are kept: 10 pairs, equally often. Chi-square, 9 degrees of freedom, above 36 by 1e-4 / 2."""
    counts = torch.zeros(5, 5)
    for seed in range(3000):
        memory = Reservoir(2, seed)
        for i in range(5):
            memory.add(torch.tensor([i]))
        i, j = memory.kept[0].sort().values
        counts[i, j] += 1
    pairs = counts[torch.ones(5, 5).triu(1) == 1]
    assert ((pairs - 300) ** 2 / 300).sum() < 36


def test_a_memory_with_room_keeps_everything_in_order():
    memory = Reservoir(10)
    for part in torch.arange(10).split(3):
        memory.add(part, -part)
    assert memory.kept[0].tolist() == list(range(10))
    assert memory.kept[1].tolist() == [-i for i in range(10)]


def test_rows_of_an_example_stay_together():
    memory = Reservoir(5, seed=1)
    for part in torch.arange(40).split(7):
        memory.add(part, 10 * part, part[:, None].expand(-1, 3))
    a, b, c = memory.kept
    assert torch.equal(10 * a, b) and torch.equal(a[:, None].expand(-1, 3), c)


def test_where_two_examples_want_one_place_the_later_one_has_it():
    """One place: offered one by one or all at once, the same draws leave the same example."""
    for seed in range(20):
        at_once, singly = Reservoir(1, seed), Reservoir(1, seed)
        at_once.add(torch.arange(30))
        for i in range(30):
            singly.add(torch.tensor([i]))
        assert torch.equal(at_once.kept[0], singly.kept[0])


def test_a_draw_takes_no_example_twice_and_all_if_there_are_few():
    memory = Reservoir(8)
    memory.add(torch.arange(8))
    (few,), (everything,) = memory.draw(5), memory.draw(100)
    assert len(few.unique()) == 5
    assert everything.sort().values.tolist() == list(range(8))

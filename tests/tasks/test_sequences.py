"""Task sequences and scenarios."""

import pytest
import torch

from lllcourse import tasks
from lllcourse.data import digits


def test_permuted_tasks_hold_the_same_pixels_in_another_order():
    base = digits()
    for t, task in enumerate(tasks.permuted(3)):
        assert torch.equal(task.train.x.sort(1).values, base.train.x.sort(1).values)
        assert torch.equal(task.train.x, base.train.x) == (t == 0)
        assert torch.equal(task.test.y, base.test.y)


def test_one_permutation_serves_all_splits_of_a_task():
    base, task = digits(), tasks.permuted(2)[1]
    order = torch.randperm(784, generator=torch.Generator().manual_seed(0))
    for part in ("train", "validation", "test"):
        assert torch.equal(getattr(task, part).x, getattr(base, part).x[:, order])


@pytest.mark.parametrize(
    "make",
    [
        lambda s: tasks.permuted(3, seed=s)[2],
        lambda s: tasks.noisy_then_clean(seed=s)[0],
    ],
)
def test_the_seed_decides_the_draw(make):
    assert torch.equal(make(1).train.x, make(1).train.x)
    assert not torch.equal(make(1).train.x, make(2).train.x)


def test_rotation_turns_counter_clockwise():
    quarter = tasks.rotated([90])[0].test.x.view(-1, 28, 28)
    assert torch.allclose(quarter, digits().test.x.view(-1, 28, 28).rot90(1, (1, 2)), atol=1e-4)


def test_rotation_by_zero_changes_nothing():
    assert torch.allclose(tasks.rotated([0])[0].test.x, digits().test.x, atol=1e-4)


def test_rotated_images_stay_in_range():
    x = tasks.rotated([33])[0].train.x
    assert x.min() >= 0 and x.max() <= 1 + 1e-5


def test_split_tasks_share_the_digits_among_them():
    sequence = tasks.split()
    assert [task.classes for task in sequence] == [
        (0, 1),
        (2, 3),
        (4, 5),
        (6, 7),
        (8, 9),
    ]
    assert sum(len(task.train) for task in sequence) == 3500
    for task in sequence:
        assert set(task.train.y.tolist()) == set(task.test.y.tolist()) == set(task.classes)


@pytest.mark.parametrize("pairs", [[(0, 1), (1, 2)], [(0, 10)], [(-1, 2)]])
def test_split_refuses_overlapping_or_unknown_classes(pairs):
    with pytest.raises(ValueError, match="disjoint sets of the digits"):
        tasks.split(pairs)


def test_noise_hits_the_stated_share_of_pixels():
    noisy, clean = tasks.noisy_then_clean(noise=0.2)
    changed = (noisy.train.x != clean.train.x).float().mean()
    assert 0.09 < changed < 0.2  # half of the hit pixels of a black background become black: no change
    noisy, clean = tasks.noisy_then_clean(noise=0.0)
    assert torch.equal(noisy.train.x, clean.train.x)
    with pytest.raises(ValueError, match="noise is 1.5; it must be a share"):
        tasks.noisy_then_clean(noise=1.5)


def test_permuted_needs_a_task():
    with pytest.raises(ValueError, match="at least one task"):
        tasks.permuted(0)


def test_domain_labels_are_positions_in_the_pair():
    for before, after in zip(tasks.split(), tasks.relabelled(tasks.split(), "domain"), strict=True):
        assert after.classes == (0, 1)
        assert torch.equal(torch.tensor(before.classes)[after.train.y], before.train.y)


@pytest.mark.parametrize("scenario", tasks.SCENARIOS)
def test_relabelling_twice_changes_nothing(scenario):
    once = tasks.relabelled(tasks.split(), scenario)
    for a, b in zip(once, tasks.relabelled(once, scenario), strict=True):
        assert torch.equal(a.test.y, b.test.y) and a.classes == b.classes


def on(mask):
    return mask.nonzero().flatten().tolist()


def test_active_outputs_follow_the_scenario():
    sequence = tasks.split()
    ask = lambda scenario, learned, j: on(  # noqa: E731
        tasks.active_outputs(tasks.relabelled(sequence, scenario), scenario, learned, j, 10)
    )
    assert ask("task", 5, 2) == [2, 3]
    assert ask("domain", 5, 2) == [0, 1]
    assert ask("class", 3, 2) == [0, 1, 2, 3, 4, 5]
    assert ask("class", 1, 3) == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]  # not learned yet: asked with its own outputs among the others
    assert ask("class", 0, 1) == [0, 1]


def test_too_few_outputs_and_unknown_scenarios_are_named():
    with pytest.raises(ValueError, match="output 9.*has 4; give it at least 10"):
        tasks.active_outputs(tasks.split(), "class", 5, 5, 4)
    with pytest.raises(ValueError, match="'online'"):
        tasks.relabelled(tasks.split(), "online")

"""What people pass: numpy's numbers and arrays, booleans, generators; taken for what they are, or refused by name."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lllcourse import tasks, training
from lllcourse.compression.distillation import soft_labels, taught
from lllcourse.compression.pruning import prune
from lllcourse.compression.structured import prune_units
from lllcourse.compression.widening import widen
from lllcourse.data import Split, Task, digits
from lllcourse.lifelong import (
    CPG,
    EWC,
    GEM,
    GenerativeReplay,
    ICaRL,
    Method,
    Replay,
    best_order,
    learn,
    pairwise,
    separate,
)
from lllcourse.models import MLP, VAE

THREE = np.int64(3)


def net(seed=0):
    return MLP(784, 10, seed=seed)


def few(task, n=64):
    return replace(task, train=task.train[:n], validation=task.validation[:n], test=task.test[:n])


def two():
    return [few(task) for task in tasks.permuted(2)]


def test_numpy_whole_numbers_are_taken_as_seeds_and_sizes():
    ours = learn(GEM(3, seed=3), MLP(784, 3, 10, seed=3), two(), epochs=2, batch_size=3, seed=3, every=3)
    sizes = np.array([784, 3, 10])
    theirs = learn(
        GEM(THREE, seed=THREE), MLP(*sizes, seed=THREE), two(), epochs=np.int32(2), batch_size=THREE,
        seed=np.uint8(3), every=THREE,
    )  # fmt: skip
    assert torch.equal(ours.R, theirs.R) and torch.equal(ours.curve, theirs.curve)
    VAE(np.int64(784), seed=THREE)
    assert GenerativeReplay(steps=THREE).steps == 3
    assert len(tasks.permuted(THREE, seed=THREE)) == 3
    assert torch.equal(tasks.noisy_then_clean(THREE)[0].train.x, tasks.noisy_then_clean(3)[0].train.x)
    assert best_order(np.zeros((2, 2))) in ([0, 1], [1, 0])


def test_numpy_numbers_are_taken_as_strengths_and_step_sizes():
    ours = learn(EWC(0.5), net(), two(), lr=0.25, epochs=1)
    theirs = learn(EWC(np.float32(0.5)), net(), two(), lr=np.float32(0.25), epochs=1)
    assert torch.equal(ours.R, theirs.R)


@pytest.mark.parametrize("seed", [0.5, "0", None, True])
def test_a_seed_that_is_no_whole_number_is_named(seed):
    for call in (
        lambda: MLP(2, 2, seed=seed),
        lambda: tasks.permuted(2, seed),
        lambda: tasks.noisy_then_clean(seed),
        lambda: tasks.questions(1, seed),
        lambda: learn(Method(), net(), two(), seed=seed),
        lambda: training.train(net(), few(digits()).train, seed=seed),
        lambda: separate(net, two(), seed=seed),
        lambda: Replay(5, seed=seed),
        lambda: GEM(5, seed=seed),
        lambda: ICaRL(10, seed=seed),
    ):
        with pytest.raises(ValueError, match=f"seed is {seed!r}; it must be a whole number"):
            call()


@pytest.mark.parametrize("size", [2.0, "5", True, 0])
def test_a_size_that_is_no_whole_number_is_named(size):
    for call in (
        lambda: learn(Method(), net(), two(), batch_size=size),
        lambda: training.train(net(), few(digits()).train, batch_size=size),
        lambda: GEM(size),
        lambda: Replay(5, batch=size),
    ):
        with pytest.raises(ValueError, match=f"is {size!r}; it must be a whole number"):
            call()


def test_arrays_become_tensors_and_all_whole_labels_int64():
    x = np.zeros((4, 784), dtype=np.float32)
    for y in ([0, 1, 1, 0], np.array([0, 1, 1, 0], dtype=np.uint8), torch.tensor([False, True, True, False])):
        split = Split(x, y)
        assert split.x.dtype == torch.float32 and split.y.dtype == torch.int64
        assert split.y.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    "x, y, message",
    [
        (torch.zeros(2, 3), torch.tensor([0.0, 1.0]), "labels are whole numbers, but y is torch.float32"),
        (torch.zeros(2, 3), ["a", "b"], "y of a Split must be a tensor or an array of numbers"),
        (np.array([object(), object()]), [0, 1], "x of a Split must be"),
        (torch.zeros(2, 3), [[0], [1]], "one label for each example"),
        (torch.zeros(1, 3), 0.5, "labels are whole numbers"),
    ],
)
def test_examples_and_labels_of_other_kinds_are_named(x, y, message):
    with pytest.raises(ValueError, match=message):
        Split(x, y)


def test_float64_examples_are_refused_by_name_before_training():
    split = few(digits()).train
    with pytest.raises(ValueError, match=r"shape \(784,\) and type torch.float64"):
        training.train(net(), Split(split.x.numpy().astype(np.float64), split.y))


@pytest.mark.parametrize(
    "classes, message",
    [((), r"classes is \(\)"), ((0, 1, 1), "once"), ((0, 1.5), "a class is 1.5; it must be a whole number")],
)
def test_a_task_without_classes_or_with_one_twice_is_named(classes, message):
    part = Split(torch.zeros(0, 3), [])
    with pytest.raises(ValueError, match=message):
        Task("odd", part, part, part, classes)


def test_classes_from_anything_become_a_tuple_of_ints():
    part = Split(torch.zeros(1, 3), [1])
    for classes in (range(2), iter([0, 1]), np.arange(2), torch.arange(2)):
        task = Task("any", part, part, part, classes)
        assert task.classes == (0, 1) and {type(c) for c in task.classes} == {int}


def test_generators_of_pairs_angles_and_tasks_are_read_once():
    pairs = tasks.split(iter([iter([0, 1]), iter([2, 3])]))
    assert [task.name for task in pairs] == ["0/1", "2/3"]
    assert [task.name for task in tasks.rotated(angle for angle in (0, 30))] == ["rotated 0°", "rotated 30°"]
    listed = learn(Method(), net(), two(), epochs=1)
    assert torch.equal(listed.R, learn(Method(), net(), iter(two()), epochs=1).R)
    assert torch.equal(separate(net, two(), epochs=1).R, separate(net, iter(two()), epochs=1).R)
    assert pairwise(Method, net, iter(two()), epochs=1)[0].shape == (2, 2)


@pytest.mark.parametrize(
    "sequence, message",
    [
        (lambda: few(digits()), "tasks is one task, 'digits'; give a list"),
        (list, "at least one task"),
        (lambda: iter([]), "at least one task"),
        (lambda: [few(digits()).train], "consists of Tasks, but one is a Split"),
    ],
)
def test_what_is_no_sequence_of_tasks_is_named(sequence, message):
    for call in (learn, lambda method, model, tasks: separate(net, tasks)):
        with pytest.raises(ValueError, match=message):
            call(Method(), net(), sequence())


@pytest.mark.parametrize("call", [lambda: tasks.split([]), lambda: tasks.split([()]), lambda: tasks.rotated([])])
def test_sequences_of_nothing_are_refused(call):
    with pytest.raises(ValueError, match="groups must be disjoint sets|at least one task"):
        call()


@pytest.mark.parametrize("part", ["train", "test"])
def test_values_that_are_not_finite_are_named_before_anything_is_trained(part):
    first, second = two()
    x = getattr(second, part).x.clone()
    x[3, 7] = float("nan")
    spoilt = replace(second, **{part: Split(x, getattr(second, part).y)})
    model = net()
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(ValueError, match=f"task 2 .'permuted 2'. has values that are not finite in its {part}"):
        learn(Method(), model, [first, spoilt])
    assert all(map(torch.equal, before, model.parameters()))


def test_a_target_and_a_growth_from_numpy():
    method = CPG(np.float64(0.5), np.float64(0.0), grow=THREE, most=np.int64(1))
    learn(method, MLP(784, 8, 10), two(), scenario="task", epochs=1)


def test_numpy_numbers_are_taken_as_shares_sizes_and_temperatures():
    model, x = MLP(6, 8, 3), torch.rand(5, 6)
    ours = prune(model, 0.5), prune_units(model, x, 0.5), widen(model, x, 2, seed=3)
    theirs = (
        *(prune(model, np.float32(0.5)), prune_units(model, x, np.float64(0.5))),
        widen(model, x, {"layers.0": np.int64(16)}, seed=THREE),
    )
    for one, other in zip(ours, theirs, strict=True):
        assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))
    assert torch.equal(soft_labels(x, 2), soft_labels(x, np.float32(2)))


@pytest.mark.parametrize("wrong", [-0.1, 1, float("nan"), 1.5])
def test_a_sparsity_out_of_range_is_named(wrong):
    with pytest.raises(ValueError, match="sparsity is"):
        prune(net(), wrong)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_a_temperature_out_of_range_is_named(wrong):
    for call in (lambda: soft_labels(torch.ones(2, 3), wrong), lambda: taught(net(), T=wrong)):
        with pytest.raises(ValueError, match="T is"):
            call()

"""`learn`, called again for further tasks, goes on as if all had come in one call."""

from dataclasses import replace

import pytest
import torch

from lllcourse import tasks
from lllcourse.lifelong import Method, ProgressiveMLP, learn
from lllcourse.models import MLP

from .harness import METHODS, weights

SIZES = (784, 20, 10)
CASES = [(name, scenario) for name, make in METHODS.items() for scenario in make().scenarios]


def three_tasks():
    return [replace(task, train=task.train[:100], test=task.test[:100]) for task in tasks.split()[:3]]


def learned(name, scenario, *calls):
    """What the last of several calls of `learn` returns."""
    model = ProgressiveMLP(*SIZES) if name == "progressive" else MLP(*SIZES)
    method = METHODS[name]()
    for part in calls:
        result = learn(method, model, part, scenario=scenario, epochs=2)
    return result


@pytest.mark.parametrize("name, scenario", CASES)
def test_two_calls_are_one(name, scenario):
    """Else replay in the class scenario, say, would train its third pair without the outputs of the first two."""
    sequence = three_tasks()
    once = learned(name, scenario, sequence)
    twice = learned(name, scenario, sequence[:2], sequence[2:])
    assert torch.equal(weights(once.model), weights(twice.model))
    assert torch.equal(once.R[2:, 2:], twice.R)
    assert once.storage == twice.storage


def test_joint_training_in_a_second_call_is_refused():
    method, model, sequence = Method(), MLP(*SIZES), three_tasks()
    learn(method, model, sequence[:2], epochs=1)
    with pytest.raises(ValueError, match="all tasks: give them in one call"):
        learn(method, model, sequence[2:], joint=True, epochs=1)


def test_a_method_holds_on_to_no_data_of_old_tasks():
    method = Method()
    learn(method, MLP(*SIZES), three_tasks(), epochs=0)
    assert [task.name for task in method._taught] == ["0/1", "2/3", "4/5"]
    assert all(part.x.untyped_storage().nbytes() == 0 for task in method._taught for part in (task.train, task.test))


@pytest.mark.parametrize("name", ["PackNet", "progressive"])
def test_after_a_run_that_broke_off_the_count_is_not_trusted(name):
    method = METHODS[name]()
    method.learned = 1  # in the middle of `after_task`
    model = ProgressiveMLP(*SIZES) if name == "progressive" else MLP(*SIZES)
    with pytest.raises(ValueError, match="has learned 1 tasks.*broke off"):
        learn(method, model, three_tasks(), scenario="task")

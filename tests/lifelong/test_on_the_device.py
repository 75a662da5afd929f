"""Every method in every scenario, on a device that refuses what a GPU refuses, gives the numbers of the CPU."""

import pytest
import torch

from lllcourse.lifelong import OnlineEWC, ProgressiveMLP, learn, separate
from lllcourse.models import MLP

from ..fake_device import fake_device
from .harness import METHODS, two_tasks_on_meta, weights
from .test_going_on import SIZES, three_tasks

METHODS = METHODS | {"online EWC, sampled": lambda: OnlineEWC(1.0, labels="sampled")}
CASES = [(name, scenario) for name, make in METHODS.items() for scenario in make().scenarios]


def run(name, scenario, device, **settings):
    model = ProgressiveMLP(*SIZES) if name == "progressive" else MLP(*SIZES)
    settings = {"scenario": scenario, "epochs": 1, "every": 3} | settings
    learned = learn(METHODS[name](), model.to(device), three_tasks(), **settings)
    return learned.R, learned.curve, learned.storage, weights(learned.model).cpu()


def same(a, b):
    return all(torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name, scenario", CASES)
def test_a_method_gives_the_numbers_of_the_cpu(name, scenario):
    on_cpu = run(name, scenario, "cpu")
    with fake_device() as device:
        assert same(on_cpu, run(name, scenario, device))


@pytest.mark.parametrize("name", ["fine-tuning", "EWC", "replay", "RWalk", "iCaRL"])
def test_joint_training_does_too(name):
    scenario = METHODS[name]().scenarios[-1]
    on_cpu = run(name, scenario, "cpu", joint=True)
    with fake_device() as device:
        assert same(on_cpu, run(name, scenario, device, joint=True))


def test_separate_models_do_too():
    on_cpu = separate(lambda: MLP(*SIZES), three_tasks(), epochs=1)
    with fake_device() as device:
        there = separate(lambda: MLP(*SIZES).to(device), three_tasks(), epochs=1)
    assert torch.equal(on_cpu.R, there.R)


@pytest.mark.parametrize("name", ["fine-tuning", "L2", "EWC", "SI", "MAS", "SCP", "RWalk", "replay"])
def test_the_hooks_run_on_meta_too(name):
    """There everything but the values exists. Values decide in GEM's and A-GEM's projection, in iCaRL's choice, in the
    growth of CPG, in what a mask of outputs lets LwF or an importance see, and in `learn`, which measures.
    """
    mask = torch.ones(10, dtype=torch.bool, device="meta") if name == "replay" else None
    two_tasks_on_meta(METHODS[name](), mask)

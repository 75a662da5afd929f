"""Several seeds: each run is the one that `learn` gives for its seed alone, trained side by side or in a row."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import nn

from lllcourse import tasks
from lllcourse.lifelong import EWC, GEM, L2, MAS, SCP, SI, LwF, Method, OnlineEWC, Replay, learn, learn_seeds, seeds
from lllcourse.models import MLP
from lllcourse.training import Diverged

from .harness import short

SEEDS = [3, 5, 8]
STACKED = {
    "fine-tuning": Method,
    "L2": lambda: L2(0.1),
    "EWC": lambda: EWC(10.0),
    "EWC, sampled labels": lambda: EWC(10.0, labels="sampled"),
    "frozen": lambda: EWC(torch.inf),
    "online EWC": lambda: OnlineEWC(10.0),
    "SI": lambda: SI(0.1),
    "MAS": lambda: MAS(0.1),
    "SCP": lambda: SCP(10.0),
    "LwF": lambda: LwF(0.5),
    "replay": lambda: Replay(15, batch=8),
}


def small(seed):
    return MLP(98, 12, 10, seed=seed).double()


@cache
def halves(seed):
    """Three pairs of digits in double precision, every eighth pixel; the seed draws which examples."""
    order = torch.Generator().manual_seed(seed)

    def some(part, n):
        few = part[torch.randperm(len(part), generator=order)[:n]]
        return replace(few, x=few.x[:, ::8].double())

    return [
        replace(task, train=some(task.train, 90), validation=some(task.validation, 20), test=some(task.test, 60))
        for task in tasks.split()[:3]
    ]


def both(make_method, make_model=small, make_tasks=halves, **settings):
    """The runs side by side, and the same ones one after another."""
    together = learn_seeds(make_method, make_model, make_tasks, SEEDS, **settings)
    alone = [learn(make_method(), make_model(seed), make_tasks(seed), seed=seed, **settings) for seed in SEEDS]
    return together, alone


def agree(together, alone, atol):
    for run, other in zip(together, alone, strict=True):
        for a, b in zip(run.model.parameters(), other.model.parameters(), strict=True):
            assert torch.allclose(a, b, rtol=0, atol=atol)
        assert torch.equal(run.R, other.R) and torch.equal(run.steps, other.steps)
        assert run.storage == other.storage and run.examples == other.examples
        assert len(run.seconds) == len(run.cpu_seconds) == len(other.seconds)


@pytest.mark.parametrize("scenario", tasks.SCENARIOS)
@pytest.mark.parametrize("name", STACKED)
def test_side_by_side_gives_the_weights_of_one_by_one(name, scenario):
    make = STACKED[name]
    assert seeds.in_a_row([make()], [small(0)], [halves(0)]) == ""
    settings = {"epochs": 2, "batch_size": 20, "scenario": scenario}
    together, alone = both(make, **settings)
    agree(together, alone, 1e-12)


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
@pytest.mark.parametrize("name", ["fine-tuning", "replay"])
def test_so_it_does_with_every_optimiser(name, optimizer):
    agree(*both(STACKED[name], epochs=1, optimizer=optimizer, lr=0.01), 1e-12)


@pytest.mark.parametrize("name", ["fine-tuning", "EWC", "replay"])
@pytest.mark.parametrize("scenario", tasks.SCENARIOS)
def test_so_does_joint_training(name, scenario):
    agree(*both(STACKED[name], epochs=1, joint=True, scenario=scenario), 1e-12)


def test_curves_and_what_is_watched_are_those_of_each_seed():
    def first_weight(model):
        return next(model.parameters())[0, 50].item()

    together, alone = both(lambda: EWC(1.0), epochs=1, every=2, watch=first_weight, on="validation")
    agree(together, alone, 1e-12)
    for run, other in zip(together, alone, strict=True):
        assert torch.equal(run.curve, other.curve)
        assert run.watched == pytest.approx(other.watched, abs=1e-12)
    assert len({run.watched[-1] for run in together}) == 3


@pytest.mark.parametrize("activation", [nn.ReLU(inplace=True), nn.Tanh(), nn.GELU(), nn.LeakyReLU(0.3)])
def test_a_row_of_layers_and_activations_can_be_stacked(activation):
    def make(seed):
        torch.manual_seed(seed)
        layers = nn.Linear(98, 9), activation, nn.Linear(9, 1), nn.Identity(), nn.Linear(1, 10)
        return nn.Sequential(nn.Flatten(), *layers).double()

    assert seeds.in_a_row([EWC(1)], [make(0)], [halves(0)]) == ""
    agree(*both(lambda: EWC(1.0), make, epochs=1), 1e-12)


def test_single_precision_agrees_within_a_few_test_images():
    """Sums run in another order, so that weights differ in the last bits, and then a little more."""
    together, alone = both(
        lambda: EWC(3.0), lambda seed: MLP(784, 30, 10, seed=seed), lambda seed: tasks.permuted(2, seed), epochs=2
    )
    for run, other in zip(together, alone, strict=True):
        assert (run.R - other.R).abs().max() < 0.01


def test_numbers_of_tasks_and_seeds_may_be_generators():
    runs = learn_seeds(Method, small, lambda seed: (t for t in halves(seed)), range(2), epochs=1)
    assert [run.R.shape for run in runs] == [(4, 3), (4, 3)]
    assert learn_seeds(Method, small, halves, [], epochs=1) == []


def test_a_loss_that_is_not_finite_is_named():
    with pytest.raises(Diverged, match="try a smaller lr than 1e\\+200"):
        learn_seeds(Method, small, halves, SEEDS, epochs=1, lr=1e200)


# --- what does not go together goes in a row, and says why ---------------------------------------------------------


def tied():
    a, b = nn.Linear(784, 784), nn.Linear(784, 784)
    b.weight = a.weight
    return nn.Sequential(a, b)


def twice():
    a = nn.Linear(784, 784)
    return nn.Sequential(a, nn.ReLU(), a)


def frozen():
    model = MLP(784, 5, 10)
    model.layers[0].requires_grad_(False)
    return model


def hooked():
    model = MLP(784, 5, 10)
    model.layers[0].register_forward_hook(lambda layer, x, z: 2 * z)
    return model


def own_forward():
    model = MLP(784, 5, 10)
    model.forward = lambda x: MLP.forward(model, x) * 2
    return model


class Doubled(MLP):
    def forward(self, x):
        return 2 * super().forward(x)


ODD = {
    "tied": (tied, "share a weight"),
    "twice": (twice, "each used once"),
    "frozen": (frozen, "is frozen"),
    "hooked": (hooked, "is hooked"),
    "a forward of its own": (own_forward, "is hooked"),
    "a subclass": (lambda: Doubled(784, 5, 10), "Doubled is more than a row"),
    "no bias": (lambda: nn.Sequential(nn.Linear(784, 10, bias=False)), "has no bias"),
    "dropout": (lambda: nn.Sequential(nn.Linear(784, 10), nn.Dropout()), "more than a row"),
    "normalised": (lambda: nn.Sequential(nn.Linear(784, 10), nn.BatchNorm1d(10)), "more than a row"),
    "convolution": (lambda: nn.Sequential(nn.Conv1d(1, 1, 3), nn.Flatten()), "more than a row"),
    "reparametrised": (
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(784, 10))),
        "more than a row",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_other_networks_go_in_a_row(name):
    make, why = ODD[name]
    assert why in seeds.in_a_row([Method()], [make(), make()], [short(2), short(2)])


def test_networks_that_differ_go_in_a_row():
    models = [MLP(784, 5, 10), MLP(784, 6, 10)]
    assert "differ in their layers" in seeds.in_a_row([Method()] * 2, models, [short(2)] * 2)
    models = [MLP(784, 5, 10), MLP(784, 5, 10).double()]
    assert "differ in their layers" in seeds.in_a_row([Method()] * 2, models, [short(2)] * 2)


def test_methods_with_work_of_their_own_and_tasks_that_differ_go_in_a_row():
    class Mine(EWC):
        pass

    for method in (GEM(5), Mine(1)):
        assert type(method).__name__ in seeds.in_a_row([method], [MLP(784, 10)], [short(2)])
    assert "tasks differ" in seeds.in_a_row([Method()] * 2, [MLP(784, 10)] * 2, [short(2), short(3)])


def test_in_a_row_gives_what_learn_gives():
    settings = {"epochs": 1}
    runs = learn_seeds(
        lambda: GEM(5), lambda seed: MLP(784, 10, seed=seed), lambda seed: short(2, seed), SEEDS, **settings
    )
    for seed, run in zip(SEEDS, runs, strict=True):
        alone = learn(GEM(5), MLP(784, 10, seed=seed), short(2, seed), seed=seed, **settings)
        assert torch.equal(run.R, alone.R)

"""What all methods that tie weights to an anchor have in common, and the ways to find the guards one by one."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from experiments._anchored import ANCHORED
from lllcourse import metrics, tasks, training
from lllcourse.data import digits
from lllcourse.lifelong import (
    EWC,
    MAS,
    SCP,
    SI,
    Method,
    OnlineEWC,
    RWalk,
    ewc,
    learn,
    mas,
    rwalk,
    scp,
    si,
)
from lllcourse.models import MLP

from .harness import short, some, trained, weights

each_method = pytest.mark.parametrize("method", ANCHORED.values())


def flat(tensors):
    return torch.cat([t.flatten() for t in tensors])


def run(method, T=2, **settings):
    model = MLP(784, 30, 10)
    return learn(method, model, short(T), epochs=2, **settings), weights(model)


# --- all of them --------------------------------------------------------------------------------------------------


@each_method
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_lambda_zero_is_fine_tuning_bit_for_bit(method, optimizer):
    _, plain = run(Method(), optimizer=optimizer)
    _, zero = run(method(0.0), optimizer=optimizer)
    assert torch.equal(plain, zero)


@each_method
def test_lambda_above_zero_differs_from_fine_tuning(method):
    _, plain = run(Method())
    _, held = run(method(1e-2))
    assert not torch.equal(plain, held)
    assert (plain - held).norm() > 1e-3 * plain.norm()  # more than rounding


@each_method
def test_lambda_infinity_freezes_what_has_importance_and_nothing_else(method):
    """With every gradient in it, training task 2 moves the weights without importance, and no others."""
    method, model, sequence = method(math.inf), MLP(784, 30, 10), short(2)
    learn(method, model, sequence[:1], epochs=2)
    first, frozen = weights(model), flat(method.importance) > 0
    learn(method, model, sequence[1:], epochs=2)
    assert torch.equal(first[frozen], weights(model)[frozen]) and frozen.any()
    if (~frozen).any():
        assert not torch.equal(first[~frozen], weights(model)[~frozen])


@each_method
@pytest.mark.parametrize("lam", [1e4, 1e30])
def test_a_large_lambda_stays_finite_and_keeps_the_first_task(method, lam):
    learned, theta = run(method(lam))
    assert theta.isfinite().all()
    assert learned.R[2, 0] > learned.R[1, 0] - 0.1 > 0.5


@each_method
def test_guards_are_finite_and_never_negative(method):
    method = method(1e-2)
    run(method)
    b = flat(method.importance)
    assert b.isfinite().all() and b.min() >= 0 and b.max() > 0


class CountOperations(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += 1
        return func(*args, **(kwargs or {}))


@each_method
def test_the_cost_of_a_step_does_not_grow_with_the_tasks_learned(method):
    """Counted in tensor operations of the same training, after one task and after five."""
    method, model, counts = method(1e-2), MLP(784, 5, 10), []
    for task in short(6):
        with CountOperations() as operations:
            learn(method, model, [task], epochs=1, batch_size=500)
        counts.append(operations.count)
    assert counts[1] == counts[5]


@each_method
def test_storage_does_not_grow_with_the_tasks(method):
    two, five = run(method(1.0))[0], run(method(1.0), T=5)[0]
    weights = 4 * (784 * 30 + 30 + 300 + 10)
    assert two.storage == five.storage == (4 if method is RWalk else 2) * weights


@each_method
def test_adam_is_refused(method):
    with pytest.raises(ValueError, match="not 'adam'"):
        learn(method(1.0), MLP(784, 10), tasks.permuted(2), optimizer="adam")


@each_method
@pytest.mark.parametrize("lam", [-1.0, math.nan])
def test_lambda_must_be_a_number_from_zero_on(method, lam):
    with pytest.raises(ValueError, match=f"lam is {lam}"):
        method(lam)


@each_method
def test_a_run_leaves_the_global_generator_alone(method):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    run(method(1.0))
    assert torch.equal(before, torch.get_rng_state())


@each_method
def test_the_same_seed_gives_the_same_weights(method):
    assert torch.equal(run(method(0.1))[1], run(method(0.1))[1])


@each_method
@pytest.mark.parametrize("scenario", tasks.SCENARIOS)
def test_every_scenario_runs(method, scenario):
    R = learn(method(0.1), MLP(784, 10), tasks.split(), scenario=scenario, epochs=1).R
    assert R.isfinite().all()


STRENGTHS = {OnlineEWC: 10, SI: 0.1, MAS: 0.03, RWalk: 1, SCP: 10}


@pytest.mark.prove
@pytest.mark.parametrize("method", STRENGTHS, ids=lambda m: m.__name__)
def test_it_forgets_less_than_fine_tuning_and_learns_more_than_the_frozen_network(method):
    """Margins of .02, where five other seeds gave .049 and .043 at the least."""
    for seed in range(3):
        sequence = tasks.permuted(3, seed)
        settings = {"epochs": 3, "lr": 0.03, "optimizer": "momentum", "seed": seed}
        fine_tuning, ours, frozen = (
            metrics.accuracy(learn(m, MLP(784, 50, 50, 10, seed=seed), sequence, **settings).R)
            for m in (Method(), method(STRENGTHS[method]), method(math.inf))
        )
        assert ours > fine_tuning + 0.02
        assert ours > frozen + 0.02


# --- online EWC ---------------------------------------------------------------------------------------------------


def test_online_ewc_with_one_past_task_is_ewc():
    assert torch.equal(run(EWC(5.0))[1], run(OnlineEWC(5.0))[1])


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0])
def test_old_guards_fade_and_the_anchor_follows_the_network(decay):
    method, model, single = OnlineEWC(2.0, decay=decay), MLP(784, 30, 10), []
    for task in short(3):
        learn(method, model, [task], epochs=1)
        active = torch.ones(10, dtype=torch.bool)
        single.append(flat(ewc.importance(model, task.train.x, active=active)))
    expected = decay**2 * single[0] + decay * single[1] + single[2]
    assert torch.allclose(flat(method.importance), expected, rtol=1e-4, atol=1e-9)
    assert torch.equal(flat(method.anchor), weights(model))


@pytest.mark.parametrize("decay", [-0.1, 1.1, math.nan])
def test_decay_must_lie_between_zero_and_one(decay):
    with pytest.raises(ValueError, match=f"decay is {decay}"):
        OnlineEWC(1.0, decay=decay)


# --- synaptic intelligence ----------------------------------------------------------------------------------------


class Bowl(nn.Module):
    """The loss 1/2 sum_i h_i theta_i^2, whose curvatures h are known."""

    def __init__(self, h, start):
        super().__init__()
        self.h, self.theta = h, nn.Parameter(start.clone())

    def descend(self, method, steps, lr):
        method.step_size = lr
        method.before_task(self, None)
        for _ in range(steps):
            self.theta.grad = (self.h * self.theta).detach()
            self.theta.data -= lr * self.theta.grad
            method.after_step(self)


def test_in_a_bowl_the_guard_of_si_is_half_the_curvature():
    """Walked down in small steps, omega is the whole fall h Delta^2 / 2 of the weight, and Delta the whole way."""
    h = torch.tensor([0.5, 1.0, 4.0], dtype=torch.float64)
    method = SI(1.0, damping=1e-12)
    bowl = Bowl(h, torch.tensor([1.0, -2.0, 0.3], dtype=torch.float64))
    bowl.descend(method, steps=40_000, lr=1e-3)
    (b,) = method.measure(bowl, None, None)
    assert torch.allclose(b, h / 2, rtol=1e-2)


def test_the_parts_of_si_add_up_to_the_fall_of_the_loss():
    """To first order: with small full-batch steps, on a real network and real digits."""
    for seed in range(3):
        model, method = MLP(784, 30, 10, seed=seed).double(), SI(1.0)
        data = digits().train[:300]
        x, y = data.x.double(), data.y
        method.step_size = 1e-2
        method.before_task(model, None)
        start = training.cross_entropy(model, x, y).item()
        for _ in range(50):
            model.zero_grad()
            training.cross_entropy(model, x, y).backward()
            for p in model.parameters():
                p.data -= 1e-2 * p.grad
            method.after_step(model)
        end = training.cross_entropy(model, x, y).item()
        assert flat(method.omega).sum().item() == pytest.approx(start - end, rel=0.02)


@pytest.mark.parametrize("method", [SI, RWalk])
def test_what_si_and_rwalk_remember_of_the_last_step_is_no_alias_of_the_weights(method):
    """An alias makes every step zero, and the method fine-tuning for every lambda."""
    method, model = method(1.0), MLP(784, 30, 10)
    learn(method, model, short(1), epochs=1)
    alive = {p.data_ptr() for p in model.parameters()}
    assert alive.isdisjoint(t.data_ptr() for t in [*method.here, *method.anchor])
    assert flat(method.importance).count_nonzero() > 1000


def test_the_guards_of_si_on_three_numbers():
    omega, way = torch.tensor([2.0, -1.0, 0.0]), torch.tensor([1.0, 1.0, 0.0])
    (b,) = si.importance([omega], [way], damping=1.0)
    assert b.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("damping", [0.0, -1.0, math.nan])
@pytest.mark.parametrize("method", [SI, RWalk])
def test_damping_must_be_above_zero(method, damping):
    with pytest.raises(ValueError, match=f"damping( is |=){damping}"):
        method(1.0, damping=damping)


# --- memory aware synapses ----------------------------------------------------------------------------------------


def test_mas_of_a_linear_network_is_the_closed_form():
    """For outputs z = W x + c, |d ||z||^2 / d W_kd| = 2 |z_k| |x_d|."""
    model, (x, _) = trained(784, 10), some(200)
    z = model(x).detach().abs()
    W, c = mas.importance(model, x, batch_size=64)
    assert torch.allclose(W, 2 * z.T @ x / len(x), rtol=1e-4, atol=1e-6)
    assert torch.allclose(c, 2 * z.mean(0), rtol=1e-4)


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution, self.out = nn.Conv2d(1, 3, 5, stride=3), nn.Linear(192, 10)

    def forward(self, x):
        features = self.convolution(x.view(-1, 1, 28, 28))
        return self.out(torch.relu(features).flatten(1))


@pytest.mark.parametrize("make", [lambda: trained(784, 30, 20, 10), Convolutional])
def test_mas_is_the_mean_of_absolute_gradients_of_single_examples(make):
    model, (x, _) = make(), some(10)
    expected = 0
    for example in x:
        norm = model(example[None]).square().sum()
        gradients = torch.autograd.grad(norm, list(model.parameters()))
        expected = expected + flat(gradients).abs() / len(x)
    ours = flat(mas.importance(model, x))
    assert torch.allclose(ours, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("module", [mas, scp])
def test_only_active_outputs_have_importance(module):
    model, (x, _) = MLP(784, 10), some()
    W, c = module.importance(model, x, torch.arange(10) < 2)
    assert c[:2].min() > 0 and c[2:].max() == 0 and W[2:].max() == 0


@pytest.mark.parametrize("module", [mas, scp])
def test_importance_needs_data(module):
    with pytest.raises(ValueError, match="x must not be empty"):
        module.importance(MLP(784, 10), some()[0][:0])


# --- sliced Cramér preservation -----------------------------------------------------------------------------------


def test_scp_of_a_linear_network_is_the_closed_form():
    """The mean of output k reacts to W_kd by the mean of x_d, and to no other output's weights."""
    model, (x, _) = trained(784, 10), some(200)
    W, c = scp.importance(model, x)
    assert torch.allclose(W, (x.mean(0) ** 2 / 10).expand(10, -1), atol=1e-7)
    assert torch.allclose(c, torch.full((10,), 0.1))


def test_many_slices_approach_the_exact_expectation():
    """The relative error falls as 1 / sqrt(slices): at most .05 with 4,000 (worst of ten other seeds: .025)."""
    model, (x, _) = trained(784, 10, 10), some(100)
    exact = flat(scp.importance(model, x))
    for seed in range(3):
        drawn = flat(scp.importance(model, x, slices=4000, seed=seed))
        assert (drawn - exact).norm() < 0.05 * exact.norm()


def test_scp_squares_after_the_mean():
    """Two examples that pull a weight in opposite directions leave the distribution's mean where it is."""
    model = MLP(1, 1)
    x = torch.tensor([[1.0], [-1.0]])
    W, _ = scp.importance(model, x)
    assert W.item() == 0
    assert mas.importance(model, x)[0].item() > 0


def test_scp_takes_at_most_so_many_examples():
    model, x = MLP(784, 10), digits().train.x
    few, all_of_them = scp.importance(model, x, examples=500), scp.importance(model, x)
    assert not torch.equal(few[0], all_of_them[0])
    assert torch.allclose(few[1], all_of_them[1])
    with pytest.raises(ValueError, match="slices=0"):
        scp.importance(model, x, slices=0)


# --- Riemannian walk ----------------------------------------------------------------------------------------------


def test_the_score_of_rwalk_on_three_numbers():
    fall, fisher = torch.tensor([2.0, -1.0, 3.0]), torch.tensor([4.0, 1.0, 0.0])
    way = torch.tensor([1.0, 1.0, 5.0])
    (s,) = rwalk.score([fall], [fisher], [way], damping=1.0)
    assert s.tolist() == pytest.approx([2 / (0.5 * 4 + 1), 0.0, 3.0])


def test_scaling_keeps_zeros_and_makes_the_largest_one():
    a, b = rwalk.scaled([torch.tensor([0.0, 2.0]), torch.tensor([4.0])])
    assert a.tolist() == [0.0, 0.5] and b.tolist() == [1.0]
    assert rwalk.scaled([torch.zeros(3)])[0].tolist() == [0, 0, 0]


def test_rwalk_agrees_with_a_replay_of_its_path():
    """The guards again, from the recorded weights, gradients and batches, written out in one function."""
    method, model = RWalk(1.0, every=4, damping=1e-3), MLP(784, 10)
    positions, gradients, batches = [weights(model)], [], []
    method.step_size = 0.1
    task = tasks.permuted(1)[0]
    method.before_task(model, task)

    def loss(model, x, y, active):
        batches.append((x, y))
        return method.loss(model, x, y, active)

    def after_step(model):
        gradients.append(flat([p.grad for p in model.parameters()]))
        method.after_step(model)
        positions.append(weights(model))

    hooks = {"loss": loss, "after_step": after_step, "batch_size": 100}
    training.train(model, task.train[:1000], epochs=1, **hooks)
    ours = flat(method.measure(model, task, None))

    fisher, score, probe = None, torch.zeros(7850), MLP(784, 10)
    for start, end in pairwise([0, 4, 8, 10]):  # the last stretch is a short one
        torch.nn.utils.vector_to_parameters(positions[end].clone(), probe.parameters())
        x, y = batches[end - 1]
        now = flat(ewc.importance(probe, x, y, labels="true"))
        fisher = now if fisher is None else 0.1 * fisher + 0.9 * now
        steps = range(start, end)
        fall = -sum(gradients[t] * (positions[t + 1] - positions[t]) for t in steps)
        way = positions[end] - positions[start]
        score += fall.clamp(min=0) / (fisher * way**2 / 2 + 1e-3)
    expected = fisher / fisher.max() + score / score.max()
    assert torch.allclose(ours, expected, rtol=1e-3, atol=1e-6)


def test_rwalk_averages_the_scores_of_its_tasks():
    method, model = RWalk(0.0), MLP(784, 10)
    first, second = short(2)
    learn(method, model, [first], epochs=1)
    old = flat(method.past_score)
    learn(method, model, [second], epochs=1)
    assert torch.allclose(flat(method.past_score), (old + flat(method.score)) / 2)


@pytest.mark.parametrize("setting", [{"every": 0}, {"rate": 0.0}, {"rate": 1.5}])
def test_rwalk_names_a_setting_out_of_range(setting):
    with pytest.raises(ValueError, match="need every >= 1, 0 < rate <= 1"):
        RWalk(1.0, **setting)

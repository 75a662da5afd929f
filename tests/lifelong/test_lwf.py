"""Distillation against torch's own divergence; what LwF keeps, where it works, and where it does not."""

import math

import pytest
import torch

from lllcourse import metrics, tasks, training
from lllcourse.lifelong import LwF, Method, learn, lwf
from lllcourse.models import MLP

from .harness import weights


def net(seed=0):
    return MLP(784, 20, 10, seed=seed)


def run(method, **settings):
    settings = {"scenario": "task", "epochs": 1, **settings}
    learned = learn(method, net(), tasks.split()[:3], **settings)
    return learned, weights(learned.model)


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# --- the formula --------------------------------------------------------------------------------------------------


def test_equal_answers_cost_nothing_and_others_do():
    z = draw(0, 6, 4)
    assert lwf.distillation(z, z, 2.0).item() == 0
    shifted = z + draw(1, 6, 1)  # the same probabilities
    assert lwf.distillation(shifted, z, 2.0).item() == pytest.approx(0, abs=1e-6)
    assert lwf.distillation(z.flip(1), z, 2.0) > 0.01


def test_at_a_high_temperature_it_is_the_squared_distance_of_centred_logits():
    """For T to infinity, T^2 KL goes to |centred z - centred z_old|^2 / (2 outputs): it does not vanish."""
    student, teacher = draw(0, 50, 5).double(), draw(1, 50, 5).double()
    apart = student - teacher
    apart = apart - apart.mean(1, keepdim=True)
    limit = (apart**2).sum(1).mean() / 10
    assert torch.allclose(lwf.distillation(student, teacher, 1000.0), limit, rtol=1e-2)


def test_no_gradient_goes_to_the_teacher():
    student, teacher = draw(0, 3, 4).requires_grad_(), draw(1, 3, 4).requires_grad_()
    lwf.distillation(student, teacher).backward()
    assert teacher.grad is None and student.grad.abs().sum() > 0


# --- the method ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer, lr", [("sgd", 0.1), ("adam", 0.001)])
@pytest.mark.parametrize("scenario", tasks.SCENARIOS)
def test_lambda_zero_is_fine_tuning_bit_for_bit_and_above_zero_is_not(scenario, optimizer, lr):
    settings = {"scenario": scenario, "optimizer": optimizer, "lr": lr}
    _, plain = run(Method(), **settings)
    assert torch.equal(run(LwF(0.0), **settings)[1], plain)
    assert (run(LwF(0.1), **settings)[1] - plain).norm() > 1e-3 * plain.norm()


def groups(scenario):
    method = LwF(1.0)
    run(method, scenario=scenario)
    return [own.nonzero().flatten().tolist() for own in method.old]


def test_what_is_distilled_follows_from_the_scenario():
    assert groups("task") == [[0, 1], [2, 3], [4, 5]]
    assert groups("domain") == [[0, 1]]
    assert groups("class") == [[0, 1, 2, 3, 4, 5]]


def test_the_loss_adds_the_distillation_of_every_old_task():
    method, model = LwF(0.7, T=3.0), net()
    sequence = tasks.split()
    learn(method, model, sequence[:2], scenario="task", epochs=1)
    teacher = MLP(784, 20, 10)
    teacher.load_state_dict(model.state_dict())
    with torch.no_grad():
        for p in model.parameters():
            p += 0.05 * draw(3, *p.shape)
    x, y = sequence[2].train.x[:9], sequence[2].train.y[:9]
    active = (torch.arange(10) == 4) | (torch.arange(10) == 5)
    expected = training.cross_entropy(model, x, y, active)
    for own in (slice(0, 2), slice(2, 4)):
        pair = model(x)[:, own], teacher(x)[:, own]
        expected = expected + 0.7 * lwf.distillation(*pair, 3.0)
    assert torch.allclose(method.loss(model, x, y, active), expected)


def test_the_teacher_is_a_frozen_copy():
    method, model = LwF(1.0), net()
    learn(method, model, tasks.split()[:1], scenario="task", epochs=1)
    before = weights(method.teacher)
    assert torch.equal(before, weights(model))
    data = tasks.split()[1].train
    training.train(model, data, epochs=1, loss=method.loss)
    assert torch.equal(before, weights(method.teacher))
    assert not any(p.requires_grad for p in method.teacher.parameters())
    assert all(p.requires_grad for p in model.parameters())


def three_seeds(scenario, *methods, epochs=10):
    for seed in range(3):
        yield [
            metrics.accuracy(
                learn(
                    method(),
                    MLP(784, 100, 100, 10, seed=seed),
                    tasks.split(),
                    scenario=scenario,
                    epochs=epochs,
                    seed=seed,
                ).R
            )
            for method in methods
        ]


@pytest.mark.prove
def test_lwf_is_better_than_fine_tuning_where_the_task_is_told():
    """Better by .015, where six other seeds gave .039 at the least (.98, fine-tuning .86 to .94)."""
    for plain, ours in three_seeds("task", Method, LwF):
        assert ours > plain + 0.015


@pytest.mark.prove
def test_lwf_fails_where_classes_are_added():
    """A result, not a defect: eleven other seeds gave .193 to .195, as fine-tuning. (Replay of 200 images: .74.)"""
    for (ours,) in three_seeds("class", LwF, epochs=5):
        assert ours < 0.35


def test_storage_is_the_old_network_and_its_masks():
    network = 4 * (784 * 20 + 20 + 200 + 10)
    assert run(LwF(1.0), scenario="class")[0].storage == network + 10
    assert run(LwF(1.0), scenario="task")[0].storage == network + 30
    assert LwF(1.0).storage() == 0


def test_the_same_seed_gives_the_same_weights_and_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert torch.equal(run(LwF(1.0))[1], run(LwF(1.0))[1])
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("lam", [-1.0, math.nan, math.inf])
def test_lambda_must_be_a_finite_number_from_zero_on(lam):
    with pytest.raises(ValueError, match=f"lam is {lam}"):
        LwF(lam)

"""Distillation against closed forms: soft labels, several teachers, hidden layers, and a class that was never seen."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lllcourse.compression.distillation import ask, averaged, soft_labels, taught
from lllcourse.compression.hints import Mapped, distance, hint
from lllcourse.compression.unseen import corrected, prior, shift
from lllcourse.data import Split, digits
from lllcourse.losses import cross_entropy, distillation
from lllcourse.models import MLP, LeNet5
from lllcourse.training import evaluate, train

from ..looking import Net, same, state


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def data(n=40, seed=0, inputs=6, outputs=3):
    return Split(draw(seed, n, inputs), torch.arange(n) % outputs)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


# --- the loss -----------------------------------------------------------------------------------------------------


class Logits(nn.Module):
    """A student whose logits are its parameters."""

    def __init__(self, z):
        super().__init__()
        self.z = nn.Parameter(z)

    def forward(self, x):
        return self.z


def gradient(z, v, T, weight=1.0, y=None):
    """Of the loss of a student with the logits z and a teacher with v, times the number of examples."""
    student = Logits(z.clone())
    taught(lambda x: v, T=T, weight=weight)(student, torch.zeros(len(z), 1), y).backward()
    return student.z.grad * len(z)


@pytest.mark.parametrize("T", [0.5, 1.0, 4.0, 20.0])
def test_the_gradient_is_the_difference_of_the_softened_answers(T):
    z, v = 3 * draw(0, 7, 5).double(), 3 * draw(1, 7, 5).double()
    assert torch.allclose(gradient(z, v, T), T * ((z / T).softmax(1) - (v / T).softmax(1)), atol=1e-10)


def test_at_a_high_temperature_the_gradient_matches_centred_logits():
    z, v = 3 * draw(0, 7, 5).double(), 3 * draw(1, 7, 5).double()
    limit = (z - z.mean(1, keepdim=True) - v + v.mean(1, keepdim=True)) / 5
    far = [(gradient(z, v, T) - limit).abs().max() for T in (10.0, 100.0, 1000.0)]
    assert far[2] < 1e-2 and far[0] > 5 * far[1] > 25 * far[2]  # it falls as 1 / T


@pytest.mark.parametrize("weight", [0.25, 0.9])
def test_between_0_and_1_labels_and_answers_share_the_gradient(weight):
    z, v, y, T = draw(0, 6, 5), draw(1, 6, 5), torch.arange(6) % 5, 3.0
    hard = z.softmax(1) - F.one_hot(y, 5)
    soft = T * ((z / T).softmax(1) - (v / T).softmax(1))
    assert torch.allclose(gradient(z, v, T, weight, y), (1 - weight) * hard + weight * soft, atol=1e-5)


def test_at_weight_one_the_labels_do_not_matter():
    split, teacher = data(), MLP(6, 8, 3, seed=1)
    wrong = Split(split.x, split.y.flip(0))
    ends = []
    for one in (split, wrong):
        student = MLP(6, 4, 3, seed=2)
        train(student, one, epochs=3, loss=taught(teacher))
        ends.append(weights(student))
    assert torch.equal(*ends)


def test_weight_zero_is_plain_training_bit_for_bit_and_above_zero_is_not():
    split, teacher, ends = data(), MLP(6, 8, 3, seed=1), []
    for loss in (cross_entropy, taught(teacher, weight=0), taught(teacher, weight=0.1)):
        student = MLP(6, 4, 3, seed=2)
        train(student, split, epochs=3, loss=loss)
        ends.append(weights(student))
    assert torch.equal(ends[0], ends[1])
    assert (ends[2] - ends[0]).norm() > 1e-3 * ends[0].norm()


def test_soft_labels_are_probabilities_that_keep_the_order_and_grow_alike():
    v = 5 * draw(0, 20, 6)
    for T in (0.5, 1, 4, 100):
        q = soft_labels(v, T)
        assert torch.allclose(q.sum(1), torch.ones(20)) and torch.equal(q.argsort(1), v.argsort(1))
    assert torch.allclose(soft_labels(v, 1e6), torch.full((20, 6), 1 / 6), atol=1e-4)
    powers = v.softmax(1) ** (1 / 4)  # another way to say it
    assert torch.allclose(soft_labels(v, 4), powers / powers.sum(1, keepdim=True), atol=1e-6)


# --- several teachers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("T", [0.5, 1.0, 4.0])
def test_the_target_of_an_ensemble_is_the_mean_of_its_soft_labels(T):
    logits = [4 * draw(seed, 7, 5) for seed in range(3)]
    brute = torch.zeros(7, 5)
    for i in range(7):
        for k in range(5):
            for v in logits:
                e = torch.exp(v[i] / T)
                brute[i, k] += (e[k] / e.sum()) / 3
    assert torch.allclose(soft_labels(averaged(logits, T), T), brute, atol=1e-6)


def test_the_loss_of_an_ensemble_is_that_of_its_mean():
    teachers, student, split = [MLP(6, 8, 3, seed=s) for s in range(3)], MLP(6, 4, 3, seed=9), data()
    with torch.no_grad():
        p = torch.stack([(t(split.x) / 2).softmax(1) for t in teachers]).mean(0)
        q = (student(split.x) / 2).log_softmax(1)
        expected = 4 * F.kl_div(q, p, reduction="batchmean")
        assert taught(*teachers, T=2)(student, split.x, split.y).item() == pytest.approx(expected.item(), rel=1e-4)


def test_certain_teachers_that_contradict_each_other_leave_the_target_finite():
    v = torch.tensor([[300.0, -300.0, 0.0]])
    assert averaged([v, -v], 0.5).isfinite().all()


def counted(teachers):
    calls = [0] * len(teachers)

    def watched(i):
        def answer(x):
            calls[i] += 1
            return teachers[i](x)

        return answer

    return [watched(i) for i in range(len(teachers))], calls


def test_in_turn_every_teacher_teaches_as_often_as_the_others_and_alone():
    networks = [MLP(6, 8, 3, seed=s) for s in range(3)]
    watched, calls = counted(networks)
    loss, student, split = taught(*watched, T=2, in_turn=True), MLP(6, 4, 3), data()
    seen = [loss(student, split.x, split.y).item() for _ in range(6)]
    alone = [distillation(student(split.x), t(split.x), 2).item() for t in networks]
    assert seen == pytest.approx(2 * alone, rel=1e-4)
    train(student, data(90), epochs=4, batch_size=10, loss=loss)  # 36 batches
    assert calls == [14, 14, 14]


# --- who is only looked at ----------------------------------------------------------------------------------------


def uses():
    split = data()
    student = MLP(6, 8, 3)
    return {
        "taught": lambda t: train(MLP(6, 4, 3), split, epochs=2, loss=taught(t)),
        "taught in turn": lambda t: train(MLP(6, 4, 3), split, epochs=2, loss=taught(t, t, in_turn=True)),
        "hint": lambda t: train(student, split, epochs=2, loss=hint(t)),
        "prior": lambda t: prior(t, split, 4),
        "corrected": lambda t: corrected(t, torch.tensor([0.0, 1.0, 0.0])),
        "ask": lambda t: ask(t, split.x),
    }


@pytest.mark.parametrize("name", uses())
def test_a_teacher_is_never_changed(name):
    teacher = Net()
    teacher(data().x).sum().backward()
    before = state(teacher)
    uses()[name](teacher)
    after = state(teacher)
    assert not [key for key in before if not same(before[key], after[key])]


def test_a_teacher_answers_in_evaluation_mode():
    teacher, split = Net(), data()
    still = copy.deepcopy(teacher).eval()
    student = MLP(6, 8, 3, seed=1)
    assert torch.equal(ask(teacher, split.x), still(split.x))
    both = [taught(t)(student, split.x, split.y).item() for t in (teacher, still)]
    assert both[0] == both[1]
    both = [hint(t)(student, split.x, split.y).item() for t in (teacher, still)]
    assert both[0] == both[1]
    assert torch.equal(prior(teacher, split, 4), soft_labels(still(split.x), 4).mean(0))


# --- a hidden layer -----------------------------------------------------------------------------------------------


def test_the_distance_is_the_mean_square_and_its_gradient_goes_to_the_student_alone():
    h, u = draw(0, 6, 4).requires_grad_(), draw(1, 6, 4).requires_grad_()
    distance(h, u).backward()
    assert torch.allclose(h.grad, 2 * (h - u).detach() / 24) and u.grad is None
    assert distance(h, u).item() == pytest.approx(F.mse_loss(h, u).item())


def test_a_hint_moves_the_hidden_layers_and_the_map_and_not_the_answer():
    teacher, student = MLP(6, 12, 3, seed=1), MLP(6, 4, 3, seed=2)
    answer = copy.deepcopy(student.layers[-1].state_dict())
    mapped, before = Mapped(student, 4, 12), weights(student)
    losses = train(mapped, data(), epochs=40, loss=hint(teacher))
    assert losses[-1] < 0.7 * losses[0]
    assert same(dict(student.layers[-1].state_dict()), dict(answer))
    assert not torch.equal(weights(student), before)
    assert torch.equal(mapped(data().x), student(data().x))


def test_layers_of_other_widths_need_a_map_and_the_message_gives_it():
    with pytest.raises(ValueError, match=r"Mapped\(student, 4, 12\)"):
        hint(MLP(6, 12, 3))(MLP(6, 4, 3), data().x, data().y)
    with pytest.raises(ValueError, match="the teacher has no `features`"):
        hint(nn.Linear(6, 3))
    with pytest.raises(ValueError, match="the student has no `features`"):
        hint(MLP(6, 4, 3))(nn.Linear(6, 3), data().x, data().y)


# --- a class that was never seen ----------------------------------------------------------------------------------


def test_the_correction_is_bayes_rule():
    """p(k | x) is p(x | k) q_k / p(x); with the prior r instead of q it is p(x | k) r_k / p'(x)."""
    likelihood = draw(0, 9, 4).double().exp()
    q, r = (torch.rand(4, generator=torch.Generator().manual_seed(s)).double() + 0.1 for s in (1, 2))
    q, r = q / q.sum(), r / r.sum()
    for T in (1, 4):
        z = T * (likelihood * q).log()  # softened by T, these are the posteriors
        expected = likelihood * r / (likelihood * r).sum(1, keepdim=True)
        assert torch.allclose(soft_labels(z + shift(q, r, T), T), expected)


def test_the_prior_is_the_mean_of_the_softened_answers_and_reads_no_label():
    teacher, split = MLP(6, 8, 3), data()
    mean = sum((teacher(x[None])[0] / 4).softmax(0) for x in split.x) / len(split)
    assert torch.allclose(prior(teacher, split, 4), mean, atol=1e-6)
    assert torch.equal(prior(teacher, Split(split.x, split.y * 0), 4), prior(teacher, split, 4))


@pytest.mark.parametrize("make", [lambda: MLP(784, 8, 10), lambda: LeNet5(channels=(2, 3), hidden=5)])
def test_a_corrected_student_is_a_copy_whose_answers_are_shifted(make):
    student, x, b = make(), digits().test.x[:20], draw(3, 10)
    before = state(student)
    new = corrected(student, b)
    assert torch.allclose(ask(new, x), ask(student, x) + b, atol=1e-5)
    assert same(before, state(student))
    assert sum(p.numel() for p in new.parameters()) == sum(p.numel() for p in student.parameters())


def test_a_correction_that_changes_nothing_or_finds_no_bias_is_refused():
    q = torch.full((3,), 1 / 3)
    with pytest.raises(ValueError, match="the priors agree already"):
        corrected(MLP(6, 4, 3), shift(q, q, 4))
    b = torch.tensor([0.0, 0.0, 1.0])
    for last in (nn.Linear(4, 3, bias=False), nn.LayerNorm(3), nn.Linear(4, 5)):
        with pytest.raises(ValueError, match="the last layer is .* it must be linear, with a bias for each of the 3"):
            corrected(nn.Sequential(nn.Linear(6, 4), last), b)
    with pytest.raises(ValueError, match="q has a class of probability 0"):
        shift(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.5]), 1)
    with pytest.raises(ValueError, match="r has a class of probability 0"):
        shift(torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0]), 1)


# --- what cannot be right -----------------------------------------------------------------------------------------


def test_what_cannot_be_taught_is_named():
    teacher, student, split = MLP(6, 8, 3), MLP(6, 4, 3), data()
    with pytest.raises(ValueError, match="no teacher is given"):
        taught()
    with pytest.raises(ValueError, match=r"teachers\[0\] is a list; give networks one by one"):
        taught([teacher, teacher])
    with pytest.raises(ValueError, match="logits is empty"):
        averaged([], 1)
    for T in (0, -1, float("nan"), float("inf")):
        for use in (lambda T: taught(teacher, T=T), lambda T: soft_labels(draw(0, 2, 3), T)):
            with pytest.raises(ValueError, match=f"T is {T}; it must be a finite temperature above 0"):
                use(T)
        with pytest.raises(ValueError, match="T is"):
            prior(teacher, split, T)
        with pytest.raises(ValueError, match="T is"):
            shift(torch.rand(3), torch.rand(3), T)
    for weight in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=f"weight is {weight}; it must be a share, from 0 to 1"):
            taught(teacher, weight=weight)
    with pytest.raises(ValueError, match=r"teachers\[1\] has outputs \(40, 4\) .* the student \(40, 3\)"):
        taught(teacher, MLP(6, 8, 4))(student, split.x, split.y)
    with pytest.raises(ValueError, match="the student is among its teachers"):
        taught(student)(student, split.x, split.y)
    with pytest.raises(ValueError, match="active must be None"):
        train(student, split, active=torch.tensor([True] * 3), epochs=1, loss=taught(teacher))
    nothing = split[:0]
    with pytest.raises(ValueError, match="the split is empty: the teacher has nothing to answer"):
        prior(teacher, nothing, 4)
    with pytest.raises(ValueError, match="the training split is empty"):
        train(student, nothing, loss=taught(teacher))


# --- on digits ----------------------------------------------------------------------------------------------------


@pytest.mark.prove
def test_a_student_recognises_a_digit_that_it_never_saw_and_from_hard_labels_does_not():
    """Of the digit 5 more than 30 % before and 60 % after correction, from hard labels none.

    Six other seeds gave 56 to 68 %, and 77 to 80 % after correction.
    """
    task = digits()
    seen, unseen = task.train[task.train.y != 5], task.test[task.test.y == 5]
    for seed in range(3):
        teacher, student, hard = (MLP(784, w, 10, seed=seed) for w in (100, 30, 30))
        train(teacher, task.train, epochs=4, seed=seed)
        train(student, seen, epochs=4, seed=seed, loss=taught(teacher))
        train(hard, seen, epochs=4, seed=seed)
        q = prior(teacher, seen, 4)
        fixed = corrected(student, shift(q, torch.full((10,), 0.1), 4))
        before, after = evaluate(student, unseen), evaluate(fixed, unseen)
        assert evaluate(hard, unseen) == 0 and before > 0.3 and after > max(0.6, before)

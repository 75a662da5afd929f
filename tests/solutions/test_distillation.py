"""The assignment `distillation`: what it alone claims. What all assignments claim is in test_assignments.py."""

import copy
import itertools
import math
import re

import pytest
import torch

from grader import reference
from lllcourse.compression.distillation import averaged, soft_labels, taught
from lllcourse.compression.unseen import corrected
from lllcourse.losses import cross_entropy, distillation
from lllcourse.models import MLP

from ..grader.harness import Submission, alternatives, points_from_top_to_bottom, rests_on, source

TRAINING = "test-training"
prove = pytest.mark.prove(on=lambda: rests_on("distillation", __file__))


@pytest.fixture(scope="module")
def names():
    return source("distillation").namespace()


def text(cell):
    return source("distillation").cell(cell).source


# --- the lesson and the training ----------------------------------------------------------------------------------


def test_the_lesson_is_what_the_page_says(names):
    order = names["ordered"](5)
    assert sorted(torch.cat(order).tolist()) == list(range(3500))
    x, y, logits, counts, unseen = names["lesson"](5)
    assert x.shape == (450, 784) and logits.shape == (3, 450, 10) and counts.tolist() == [1500, 1000, 500]
    train = names["data"].train
    whose = {row.numpy().tobytes(): label for row, label in zip(train.x, train.y.tolist(), strict=True)}
    labels = torch.tensor([whose[row.numpy().tobytes()] for row in x])
    assert (labels != unseen).all() and (labels.bincount(minlength=10) > 0).sum() == 9
    assert torch.equal(y[y >= 0], labels[y >= 0])
    assert y[y >= 0].bincount(minlength=10).tolist() == [0 if k == unseen else 10 for k in range(10)]


def test_teachers_and_student_share_no_image(names):
    for places in names["ordered"](3):
        sizes = (*names["IMAGES"], names["EACH"])
        assert sum(sizes) <= len(places)
        last = sum(names["IMAGES"])
        assert not set(places[:last].tolist()) & set(places[-names["EACH"] :].tolist())


def test_every_digit_of_the_list_is_left_out_for_some_seed(names):
    assert sorted({names["UNSEEN"][seed % len(names["UNSEEN"])] for seed in range(6)}) == sorted(names["UNSEEN"])


def test_the_given_training_is_the_packages(names):
    """Teachers who have seen three, two and one times as much are three, two and one teachers that count alike."""
    T, x, y, logits, counts, unseen = 3.0, *names["lesson"](2)
    networks = names["teachers"](names["ordered"](2))
    several = [network for network, times in zip(networks, (3, 2, 1), strict=True) for _ in range(times)]
    for w in (1.0, 0.6):
        package = taught(*several, T=T, weight=1.0)

        def loss(z, chosen, package=package, w=w):
            soft, labelled = package(lambda _: z, x[chosen], None), y[chosen] >= 0
            hard = cross_entropy(lambda _: z[labelled], x[chosen][labelled], y[chosen][labelled])
            return w * soft + (1 - w) * hard

        expected = names["fit"](MLP(*names["SIZES"], seed=1), x, loss, 60, names["LR"], 1)
        quick = names | {"STEPS": 60}
        exec(text("taught").replace("STEPS, LR = (784, 30, 10), 300, 0.05", "_, _ = (784, 30, 10), 60, 0.05"), quick)
        student, raised = quick["taught"](x, y, logits, counts, unseen, T=T, w=w, seed=1)
        for ours, theirs in zip(student.parameters(), expected.parameters(), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-4)
        q = soft_labels(averaged([network(x).detach() for network in several], T), T).mean(0)[unseen].item()
        step = torch.zeros(10)
        step[unseen] = T * (math.log(1 / 9) - math.log(q / (1 - q)))
        for ours, theirs in zip(raised.parameters(), corrected(student, step).parameters(), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-4)


def test_the_raised_bias_is_bayes_rule(names):
    """Three classes with known densities over four kinds of images; then the prior of one of them changes."""
    looks = torch.tensor([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.25, 0.35, 0.15, 0.25]])  # p(kind | class)
    old, r, u, T = torch.tensor([0.5, 0.1, 0.4]), 0.3, 1, 2.5
    new = old * (1 - r) / (1 - old[u])
    new[u] = r
    joint = old[:, None] * looks
    z = T * (joint / joint.sum(0)).log().T  # (kinds, classes): logits whose softmax at T is the posterior
    rows = torch.repeat_interleave(z, (1000 * joint.sum(0)).round().long(), 0)
    change = names["raised_bias"](torch.zeros(3), rows, u, T, r)
    expected = new[:, None] * looks
    assert torch.allclose(((z + change) / T).softmax(1), (expected / expected.sum(0)).T, atol=1e-4)


# --- the worked examples ------------------------------------------------------------------------------------------


def test_the_examples_of_loss_and_gradient_follow_from_the_formula():
    z = (2 * torch.tensor([[3.0, 1, 1], [1, 1, 1]]).log()).requires_grad_()
    v = 2 * torch.tensor([[6.0, 3, 1], [1, 6, 3]]).log()
    soft = [distillation(z[i : i + 1], v[i : i + 1], 2.0) for i in range(2)]
    hard = torch.nn.functional.cross_entropy(z[:1], torch.tensor([1]))
    loss = 0.25 * hard + 0.75 * sum(soft) / 2
    page = text("distillation-loss-text")
    for value in (soft[0] / 4, soft[1] / 4, hard, sum(soft) / 2, loss):
        assert f"{value.item():.5f}" in page
    (gradient,) = torch.autograd.grad(loss, z)
    page = text("logit-gradient-text").replace("−", "-")
    assert "({:.5f}, {:.5f}, {:.5f})".format(*gradient[0]) in page
    assert "({:.3f}, {:.1f}, {:.3f})".format(*gradient[1]) in page


def test_the_example_of_the_limit_follows_from_the_formula():
    z, v = torch.tensor([[3.0, 0, 0]], dtype=torch.float64, requires_grad=True), torch.tensor([[0.0, 0, 6]]).double()
    (gradient,) = torch.autograd.grad(distillation(z, v, 1e5), z)
    assert "({:.3f}, {:.3f}, {:.3f})".format(*gradient[0]) in text("logit-gradient-text")


def test_the_example_of_lookalikes_follows_from_the_formula(names):
    page = text("lookalikes-text")
    rows = re.findall(r"^\| (\d) \| (\(.*?\)) \| \((.*?)\) \| (\S+) \|$", page, re.M)
    q, y = [], []
    for label, soft, mean, answer in rows:
        own = [[float(n) for n in part.split(",")] for part in re.findall(r"\((.*?)\)", soft)]
        q, y = q + own, y + [int(label)] * len(own)
        said = [float(n.strip(" *")) for n in mean.split(",")]
        assert torch.allclose(torch.tensor(own).mean(0), torch.tensor(said), atol=0.005)
        assert max((k for k in range(4) if k != int(label)), key=lambda k: said[k]) == int(answer)
    assert sorted(y) == [0, 0, 0, 1, 3, 3, 3]
    for row in q:
        assert math.isclose(sum(row), 1)


def test_the_example_of_choose_follows_from_the_rule(names):
    rows = re.findall(r"^\| \$T = (\d)\$ \| (.*?) \| (.*?) \| (.*?) \|$", text("choose-text"), re.M)
    table, means = [], []
    for _, *cells in rows:
        pairs = [cell.replace("*", "").split(":") for cell in cells]
        table.append([[float(n) for n in runs.split(",")] for runs, _ in pairs])
        means.append([float(mean) for _, mean in pairs])
    table = torch.tensor(table)
    assert torch.allclose(table.mean(2), torch.tensor(means), atol=1e-4)
    assert math.isclose(table[0, 0].std().item(), 2) and table.mean(2).max() == 90
    assert names["choose"](table, [int(T) for T, *_ in rows], [0.9, 1, 0.5]) == (2, 0.9)


# --- the model answer ---------------------------------------------------------------------------------------------


@prove
def test_the_model_answers_numbers_are_those_of_the_printout(capsys):
    points_from_top_to_bottom(source("distillation").cells)
    printed = capsys.readouterr().out
    assert "chosen: T = 8, w = 0.9" in printed
    shown = set(re.findall(r"\d\.\d{3}", printed))
    quoted = re.findall(r"\d\.\d{2,3}", text("interpretation"))
    assert len(quoted) > 15
    for number in quoted:
        assert any(abs(float(number) - float(value)) < 0.51 * 10 ** -len(number[2:]) for value in shown), number


def all_text():
    return "\n".join(cell.source for cell in source("distillation").cells)


# --- the tests ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", alternatives("distillation"))
def test_an_alternative_trains_as_well(name, draw):
    draw(4000)
    assert Submission("distillation", alternatives("distillation")[name]).error(TRAINING, "hidden") is None


def test_functions_that_answer_in_float64_and_numpy_train_each_with_each(names, draw):
    """One student takes `together` from numpy and the loss from torch: what is given has to fit them together."""
    ways = [{}, *alternatives("distillation").values()]
    lesson, functions = names["lesson"](1), ("together", "distillation_loss")
    for first, second in itertools.pairwise([*ways, ways[0]]):
        mixed = {functions[0]: first.get(functions[0]), functions[1]: second.get(functions[1])}
        submission = Submission("distillation", {k: f for k, f in mixed.items() if f})
        exec(text("taught").replace("300, 0.05", "2, 0.05"), submission.names)
        assert len(submission.names["taught"](*copy.deepcopy(lesson))) == 2


def test_the_reference_of_the_band_agrees_with_the_solution(names):
    experiment = reference.experiments()["distillation.unseen"]
    draw = torch.Generator().manual_seed(7)
    z, v = torch.randn(6, 10, generator=draw), torch.randn(6, 10, generator=draw)
    y = torch.tensor([3, -1, -1, 0, 9, -1])
    logits, counts = torch.randn(3, 6, 10, generator=draw), torch.tensor([1500, 1000, 500])
    cases = {
        "distillation_loss": [(z, v, y, 4.0, 0.9), (z, v, -torch.ones_like(y), 4.0, 0.9)],
        "together": [(logits, counts, 4.0, "probabilities"), (logits, counts, 4.0, "logits")],
        "raised_bias": [(z[0], v, 3, 4.0, 0.1)],
    }
    assert set(cases) == set(experiment.reference)
    for name, inputs in cases.items():
        for case in inputs:
            assert torch.allclose(experiment.reference[name](*case), names[name](*case), atol=1e-5)

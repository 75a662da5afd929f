"""The assignment `forgetting`: what it alone claims. What all assignments claim is in test_assignments.py."""

import math
import re

import matplotlib.pyplot as plt
import pytest
import torch

from grader import reference
from lllcourse import metrics
from lllcourse.grading import check
from lllcourse.lifelong import Method, learn
from lllcourse.tasks import rotated

from ..grader.harness import points_from_top_to_bottom, rests_on, source

prove = pytest.mark.prove(on=lambda: rests_on("forgetting", __file__))


@pytest.fixture(scope="module")
def names():
    return source("forgetting").namespace()


def text(cell):
    return source("forgetting").cell(cell).source


# --- the training -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("joint", [False, True])
def test_the_given_training_is_the_packages(names, joint):
    """The same weights, in the one epoch whose order both draw from the same seed."""
    tasks, one = rotated([5, 35, 65]), dict(names)
    exec(compile(text("run"), "<run>", "exec"), one)
    one["EPOCHS"] = 1
    networks = one["run"](tasks, joint, seed=2)
    model = names["MLP"](*names["SIZES"], seed=2)
    how = {"epochs": 1, "batch_size": names["BATCH"], "lr": names["LR"]}
    learned = learn(Method(), model, tasks, joint=joint, seed=2, **how)
    for a, b in zip(networks[-1].parameters(), model.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-4)
    R = torch.tensor([[names["share_right"](one, [task]) for task in tasks] for one in networks])
    assert torch.allclose(R.double(), learned.R, atol=2.5e-3)


def test_each_epoch_has_an_order_of_its_own(names):
    """And each task and each seed."""
    numbers = {1000 * seed + 100 * epoch + i for seed in range(3) for epoch in range(3) for i in range(1, 5)}
    assert len(numbers) == 36 and "1000 * seed + 100 * epoch + i" in text("run")


# --- the examples by hand -----------------------------------------------------------------------------------------


def test_the_orders_of_the_examples_are_those_that_torch_draws():
    def order(n, seed):
        return ", ".join(map(str, torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()))

    page, test = (" ".join(re.sub(r'"\s+"', "", text(cell)).split()) for cell in ("plan-text", "test-plan"))
    assert f"for $N = 5$ is {order(5, 0)}." in page
    assert f"seed 5: the order is {order(4, 5)}," in test
    assert f"the order is {order(9, 2)}." in test


def test_every_step_of_the_example_meets_the_same_probabilities(names):
    """So the table of question 3 can be filled in by hand; its numbers are what autograd gives."""
    model, data = names["tiny"]()
    batches = [[(1, 0)], [(1, 1)], [(2, 1), (1, 2)]]
    table = [(0.3, 0.3), (0.4, 0.2), (0.35, 0.3)]
    for batch, (w, c) in zip(batches, table, strict=True):
        x = torch.stack([data[t - 1].x[k] for t, k in batch])
        y = torch.stack([data[t - 1].y[k] for t, k in batch])
        assert torch.allclose(model(x).softmax(1), torch.tensor([0.25, 0.75]), atol=1e-6)
        loss = torch.nn.functional.cross_entropy(model(x), y)
        weights = list(model.parameters())
        for p, g in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            p.data -= 0.4 * g
        assert torch.allclose(weights[0].flatten(), torch.tensor([w, -w]), atol=1e-6)
        assert torch.allclose(weights[1], torch.tensor([c, math.log(3) - c]), atol=1e-6)


def test_the_example_table_on_the_page_is_the_one_of_the_setup(names):
    rows = re.findall(r"^\| (?:untrained|after task \d) \| (.*) \|$", text("accuracy-so-far-text"), re.M)
    assert torch.equal(torch.tensor([[float(x) for x in row.split("|")] for row in rows]), names["example_table"]())


def test_the_numbers_of_the_example_table_are_the_packages(names):
    R = names["example_table"]()
    assert metrics.accuracy(R) == pytest.approx(0.665)
    assert metrics.accuracy(R[:3, :2]) == pytest.approx(0.7)
    assert metrics.backward_transfer(R) == pytest.approx(-0.79 / 3)
    assert metrics.backward_transfer(R[:4, :3]) == pytest.approx(-0.225)
    assert metrics.forward_transfer(R) == pytest.approx(1 / 3)


def test_the_three_seeds_are_those_of_the_page_and_differ_from_backward_transfer():
    rows = re.findall(r"^\| (?:untrained|after task \d) \| (.*) \|$", text("forgetting-text"), re.M)
    tables = torch.tensor([[float(x) for x in row.split("|")] for row in rows]).reshape(4, 3, 3).transpose(0, 1)
    assert [metrics.forgetting(R) for R in tables] == pytest.approx([0.155, 0.19, 0.05])
    assert metrics.backward_transfer(tables[0]) == pytest.approx(-0.125)
    values = torch.tensor([metrics.forgetting(R) for R in tables])
    assert values.mean().item() == pytest.approx(0.1317, abs=5e-5)
    assert values.std().item() == pytest.approx(0.0729, abs=5e-5)
    assert values.std().item() / 3**0.5 == pytest.approx(0.0421, abs=5e-5)


def test_on_finished_tables_the_answers_are_the_numbers_of_the_package(names):
    draws = torch.Generator().manual_seed(0)
    for T in (2, 3, 6):
        tables = torch.rand(4, T + 1, T, generator=draws, dtype=torch.float64)
        for R in tables:
            assert names["accuracy_so_far"](R, torch.ones(T))[0].item() == pytest.approx(metrics.accuracy(R))
            assert names["changes"](R)[1].item() == pytest.approx(metrics.backward_transfer(R))
            assert names["forward"](R, 1).item() == pytest.approx(metrics.forward_transfer(R))
        values = [metrics.forgetting(R) for R in tables]
        assert names["forgetting"](tables)[0].item() == pytest.approx(sum(values) / 4)


def test_with_one_seed_the_share_is_the_packages(names):
    draws = torch.Generator().manual_seed(0)
    for _ in range(20):
        low, own, high = (torch.rand(4, 3, generator=draws, dtype=torch.float64) for _ in range(3))
        low, high = low / 3, high / 3 + 2 / 3
        ends = [R[-1].mean().reshape(1) for R in (own, low, high)]
        share = names["share"](ends[0][None], ends[1], ends[2], 1e-3)
        assert share.item() == pytest.approx(metrics.gap_closed(own, low, high))


# --- the band -----------------------------------------------------------------------------------------------------


def test_the_bounds_are_far_apart():
    """Whoever takes fine-tuning for joint training, or joint training for fine-tuning, fails."""
    bands = check.reference_metrics()["forgetting.rotated"]["bands"]
    assert bands["accuracy"][1] < bands["joint_accuracy"][0] - 0.1
    assert bands["backward_transfer"][1] < -0.2


@pytest.mark.parametrize("start", [0, 90, 225])
def test_the_band_holds_wherever_the_angles_begin(names, start):
    """Also where the pixels are turned onto pixels, and the images are not blurred."""
    tasks = rotated([start, start + 30, start + 60])
    tuned, joint = (
        [[names["share_right"](one, [task]) for task in tasks] for one in names["run"](tasks, way)]
        for way in (False, True)
    )
    found = {"accuracy": metrics.accuracy(tuned), "joint_accuracy": metrics.accuracy(joint)}
    found["backward_transfer"] = metrics.backward_transfer(tuned)
    assert reference.inside(found, check.reference_metrics()["forgetting.rotated"]["bands"])


# --- the figure ---------------------------------------------------------------------------------------------------


@prove
def test_the_model_answer_names_the_numbers_of_the_figure(capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(plt, "show", lambda: drawn.extend(t.get_text() for ax in plt.gcf().axes for t in ax.texts))
    points_from_top_to_bottom(source("forgetting").cells)
    printed = capsys.readouterr().out
    answer = text("interpretation")
    numbers = {number.replace("−", "-") for number in re.findall(r"[+−]?\d\.\d{3}", answer)}
    shown = set(re.findall(r"[+-]?\d\.\d{3}", printed))
    assert numbers <= shown, numbers - shown
    assert set(re.findall(r"\d\.\d\d(?!\d)", answer)) <= set(drawn)
    seen = dict(re.findall(r"([a-z- ]+): ([\d,]+) images seen", printed))
    assert seen == {"fine-tuning": "42,000", "short steps": "42,000", "joint training": "105,000"}
    tables = [[float(x) for x in drawn[k : k + 20]] for k in (0, 20, 40)]
    tuned, short, joint = (torch.tensor(table).reshape(5, 4) for table in tables)
    assert tuned[-1].tolist() == pytest.approx([0.22, 0.41, 0.78, 0.90])
    assert all(0.875 < x < 0.905 for x in tuned[1:].diagonal().tolist())
    assert short[-1, -1].item() == pytest.approx(0.78)
    assert joint[1:, 0].tolist() == pytest.approx([0.88, 0.88, 0.88, 0.89])

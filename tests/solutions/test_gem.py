"""The assignment `gem`: what it alone claims. What all assignments claim is in test_assignments.py."""

import re

import pytest
import torch
from torch.nn.functional import cosine_similarity

from grader import reference
from lllcourse.grading import check
from lllcourse.lifelong import AGEM, GEM, Method, agem, gem, learn
from lllcourse.tasks import permuted

from ..grader.harness import mistakes, points_from_top_to_bottom, rests_on, source

MISTAKES = {f"{m.function}: {m.name}": m for m in mistakes("gem")}
prove = pytest.mark.prove(on=lambda: rests_on("gem", __file__))


@pytest.fixture(scope="module")
def names():
    return source("gem").namespace()


def text(cell):
    return source("gem").cell(cell).source


def vector(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


# --- the training -------------------------------------------------------------------------------------------------


def packages(kind, names, seed):
    """The package's method with the images that `choose` of the assignment names in its memory."""

    class Chosen(kind):
        def after_task(self, model, task, active):
            number = 1000 * seed + len(self.memory) + 1
            kept = task.train[names["choose"](task.train.y, self.size, number)]
            self.memory.append((kept.x, kept.y, active))

    return Chosen


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        (GEM, {"gamma": 0.0}, {"margin": 0.0}),
        (GEM, {"gamma": 0.1}, {"margin": 0.1}),
        (GEM, {"gamma": 0.5}, {"margin": 0.5}),
        (AGEM, {"method": "A-GEM"}, {"batch": 10_000}),  # all of the memory, as the assignment has it
    ],
)
def test_the_given_training_is_the_packages_method(names, kind, ours, theirs):
    """The same weights up to rounding, as long as that has not grown: one epoch."""
    tasks, one = permuted(3, seed=5), dict(names)
    exec(compile(text("train"), "<train>", "exec"), one)
    one["EPOCHS"] = 1
    networks = one["train"](tasks, 40, seed=2, **ours)
    model = names["MLP"](*names["SIZES"], seed=2)
    method = packages(kind, names, 2)(40, **theirs)
    learn(method, model, tasks, seed=2, epochs=1, batch_size=names["BATCH"], lr=names["LR"])
    for a, b in zip(networks[-1].parameters(), model.parameters(), strict=True):
        assert torch.allclose(a, b, atol=2e-3)


def test_without_a_memory_the_training_is_fine_tuning(names):
    tasks = permuted(2, seed=5)
    networks = names["train"](tasks, 0)
    model = names["MLP"](*names["SIZES"])
    how = {"epochs": names["EPOCHS"], "batch_size": names["BATCH"], "lr": names["LR"]}
    learn(Method(), model, tasks, **how)
    for a, b in zip(networks[-1].parameters(), model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_with_one_old_task_the_step_is_that_of_the_dual(names):
    """`gem_step` asks `project_one` there, with the margin shifted into g: it comes to the same."""
    draws = torch.Generator().manual_seed(0)
    for gamma in (0.0, 0.1, 3.0):
        for _ in range(20):
            g, G = torch.randn(9, generator=draws), torch.randn(1, 9, generator=draws)
            step = names["gem_step"](g, G, gamma)
            assert torch.allclose(step, gem.project(g, G, gamma), atol=1e-5)


def test_pushes_have_something_to_do_with_the_small_margin_and_hardly_with_the_papers(names):
    """The page says so, where it gives the reason for the margin of the test."""

    def share(gamma):
        own, found = dict(names), []

        def pushes(K, s, gamma):
            v = names["pushes"](K, s, gamma)
            found.append(bool((v > 1.01 * gamma).any()))
            return v

        own["pushes"] = pushes
        exec(compile(text("train"), "<train>", "exec"), own)
        own["train"](own["tasks"], 200, gamma=gamma)
        return sum(found) / len(found)

    assert share(0.1) > 0.15 and share(0.5) < 0.05


# --- the examples by hand -----------------------------------------------------------------------------------------


def test_the_example_of_the_memory_is_as_even_as_it_can_be(names):
    y = torch.tensor([12, 2, 2, 12, 12, 4, 12, 2, 12])
    assert torch.randperm(9, generator=torch.Generator().manual_seed(1)).tolist() == [4, 0, 6, 5, 7, 2, 8, 3, 1]
    for n in range(1, 10):
        chosen = names["choose"](y, n, 1)
        assert len(set(chosen.tolist())) == n
        counts = {label: int((y[chosen] == label).sum()) for label in (2, 4, 12)}
        room = [counts[label] for label in counts if counts[label] < int((y == label).sum())]
        assert not room or max(counts.values()) - min(room) <= 1
    graded = permuted(1)[0].train.y
    assert graded[names["choose"](graded, 200, 3)].bincount().tolist() == 10 * [20]


def test_the_example_of_the_gradients_is_what_autograd_says(names):
    model, memory = names["tiny"]()
    rows = torch.stack([gem.gradient(model, kept.x, kept.y) for kept in memory])
    assert torch.allclose(rows, torch.tensor([[-0.875, 0.875, -0.25, 0.25], [0.75, -0.75, 0.25, -0.25]]))


def test_the_example_of_the_objections(names):
    G = torch.tensor([[-10.0, 0], [4, 3], [0, -2], [-4, 3], [-8, 5], [0, 0]])
    cosines = cosine_similarity(G, torch.tensor([[3.0, 4]]))
    assert torch.allclose(cosines, torch.tensor([-0.6, 0.96, -0.8, 0, -0.0848, 0]), atol=1e-4)
    assert "| −0.6 |" in text("objections-text") and "| −0.085 |" in text("objections-text")


def test_the_examples_of_one_old_task_are_the_packages(names):
    b = vector(-1, 2)
    for g, least, new in (((3, -1), 0, (2, 1)), ((3, -1), 5, (1, 3)), ((1, 1.5), 0, (1, 1.5)), ((1, 1.5), 7, (0, 3.5))):
        shift = least * b / (b @ b)  # g' . b >= c is (g' - shift) . b >= 0
        assert torch.allclose(agem.project(vector(*g) - shift, b) + shift, vector(*new))


@pytest.mark.parametrize(
    ("K", "s", "gamma", "v"),
    [
        ([[5, -2], [-2, 2]], (-1, -2), 0, (1, 2)),
        ([[5, -2], [-2, 2]], (-1, -2), 1.5, (1.5, 2.5)),
        ([[5, -2], [-2, 2]], (-1, 3), 0, (0.2, 0)),
        ([[5, -2], [-2, 2]], (-1, 3), 0.1, (0.24, 0.1)),
        ([[25, -24], [-24, 25]], (-1, -1), 0, (1, 1)),
        ([[4, 0], [0, 0]], (-2, 0), 0.1, (0.5, 0.1)),
        ([[5, -2, -1], [-2, 2, 0], [-1, 0, 1]], (-8, 2, 3), 0, (2, 1, 0)),
    ],
)
def test_the_examples_of_the_dual_are_the_packages(K, s, gamma, v):
    K, s = torch.tensor(K, dtype=torch.float64), vector(*s)
    assert torch.allclose(gem.solve_dual(K, s + gamma * K.sum(1)) + gamma, vector(*v), atol=1e-6)
    assert f"**{v}**" in text("pushes-text")


def test_the_example_of_the_step_is_the_packages_projection():
    g, G = vector(-1, -3, 1), torch.tensor([[2.0, 0, 1], [-1, 1, 0]]).double()
    assert torch.equal(G @ G.T, torch.tensor([[5.0, -2], [-2, 2]]).double()) and torch.equal(G @ g, vector(-1, -2))
    assert torch.allclose(gem.project(g, G), vector(-1, -1, 2), atol=1e-6)


def test_the_two_numbers_prove_a_solution_and_refuse_others(names):
    draws = torch.Generator().manual_seed(0)
    for _ in range(50):
        g = torch.randn(20, generator=draws, dtype=torch.float64)
        G = torch.randn(5, 20, generator=draws, dtype=torch.float64)
        if (G @ g >= 0).all():
            continue
        v = gem.solve_dual(G @ G.T, G @ g)
        new, lowest, idle = names["corrected"](g, G, v)
        assert torch.allclose(new, gem.project(g, G), atol=1e-6) and lowest > -1e-6 and idle < 1e-6
        _, lowest, idle = names["corrected"](g, G, v + 0.1)
        assert lowest < -1e-3 or idle > 1e-3


def test_the_example_of_the_average_lets_one_task_pay_for_the_other():
    g, G = vector(2, -1), torch.tensor([[3.0, 0], [-1, 2]]).double()
    assert torch.allclose(agem.project(g, vector(1, 3) @ G / 4), vector(2, 0))
    same = agem.project(g, vector(3, 1) @ G / 4)
    assert torch.equal(same, g) and G[1] @ same == -4


# --- the band -----------------------------------------------------------------------------------------------------


def test_where_nobody_objects_the_network_forgets_more_than_the_band_allows():
    """The training of the page's own tasks, and that of others."""
    bands = check.reference_metrics()["gem.permuted"]["bands"]
    forgets = MISTAKES["objections: nobody ever objects"]
    experiment = reference.experiments()["gem.permuted"]
    for seed in (1, 2):
        metrics = reference.run(experiment, {forgets.function: forgets.source}, seed)
        assert metrics["backward_transfer"] < bands["backward_transfer"][0]


# --- the figure ---------------------------------------------------------------------------------------------------


@prove
def test_the_model_answer_names_the_numbers_of_the_figure(capsys):
    points_from_top_to_bottom(source("gem").cells)
    printed = capsys.readouterr().out
    shown = {abs(float(number)) for number in re.findall(r"\d\.\d{3}", printed)}
    answer = text("interpretation")
    apart = {0.081, 0.016, 0.004, 0.008, 0.021, 0.003, 0.010}  # differences of those, and an error
    named = {float(number) for number in re.findall(r"\d\.\d{3}", answer)}
    assert named - apart <= shown, named - apart - shown
    assert re.findall(r"enough: (\d+)", printed) == ["300", "30", "100"]
    assert "300 for GEM with the margin 0.5, 30 without it, 100 for A-GEM" in " ".join(answer.split())
    low, high = (
        float(re.search(rf"{name}: accuracy ([\d.]+)", printed)[1]) for name in ("fine-tuning", "joint training")
    )
    assert round(high - low, 3) == 0.081
    accuracies = [float(x) for x in re.findall(r"images: accuracy ([\d.]+)", printed)]
    assert [round((accuracies[k] - low) / (high - low), 1) for k in (0, 3)] == [0.3, 0.8]
    assert [round(a - b, 3) for a, b in zip(accuracies[:4], accuracies[4:8], strict=True)] == [
        0.016,
        0.004,
        0.008,
        0.021,
    ]
    assert all(0.002 < a - b < 0.0105 for a, b in zip(accuracies[4:8], accuracies[8:], strict=True))

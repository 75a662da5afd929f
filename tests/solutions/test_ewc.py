"""The assignment `ewc`: what it alone claims. What every assignment claims is in test_assignments.py."""

import contextlib
import copy
import io
import math
import re
from dataclasses import replace

import pytest
import torch

from grader import reference
from lllcourse.lifelong import EWC, learn
from lllcourse.tasks import permuted

from ..grader.harness import Submission, mistakes, points_from_top_to_bottom, rests_on, source

prove = pytest.mark.prove(on=lambda: rests_on("ewc", __file__))
TRAINING = "test-training"
MISTAKES = {f"{m.function}: {m.name}": m for m in mistakes("ewc")}
EXPERIMENT = reference.experiments()["ewc.permuted"]
WRITTEN = source("ewc").cell("interpretation").source


@pytest.fixture(scope="module")
def printed():
    """What the notebook prints from top to bottom."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        _, errors = points_from_top_to_bottom(source("ewc").cells)
    assert errors == {}
    return said.getvalue()


# --- the notebook -------------------------------------------------------------------------------------------------


@prove
def test_the_model_answer_says_what_is_printed(printed):
    rows = re.findall(r"(EWC|MAS), lambda (\S+) +at the end (\S+), just learned (\S+) .* transfer (\S+)", printed)
    rows = {(name, float(lam)): tuple(map(float, numbers)) for name, lam, *numbers in rows}
    left, right, middle = rows["EWC", 0], rows["EWC", 1e6], rows["EWC", 10]
    assert [round(v, 2) for v in left] == [0.70, 0.90, -0.30]
    assert round(right[1], 2) == 0.86 and round(rows["MAS", 1e6][1], 2) == 0.85 and abs(right[2]) < 0.005
    assert [round(v, 2) for v in middle] == [0.88, 0.90, -0.02]
    best = {name: max((row[0], lam) for (own, lam), row in rows.items() if own == name) for name in ("EWC", "MAS")}
    assert best["EWC"][1] == 100 and best["MAS"][1] == 10 and 0 < best["MAS"][0] - best["EWC"][0] < 0.01
    kept = {name: max((row[2], lam) for (own, lam), row in rows.items() if own == name) for name in ("EWC", "MAS")}
    assert kept["EWC"][1] == 1e6 and kept["MAS"][1] == 100
    assert round(100 * (best["EWC"][0] - left[0])) == 18
    singly = {lam: (a, b) for lam, a, b in re.findall(r"EWC, lambda (\S+) .*\(task 2 (\S+), task 3 (\S+)\)", printed)}
    assert [[f"{float(v):.2f}" for v in singly[lam]] for lam in ("0", "1e+06")] == [["0.92", "0.86"], ["0.89", "0.76"]]
    assert "b = 0 in EWC: 30% after task 1, 10% after the tasks 1 and 2" in printed
    assert "they share 49%, chance 4.2%" in printed
    for words in ("0.70", "−0.30", "(0.90)", "0.86 with EWC", "0.85 with\nMAS", "(−0.02)", "0.88", "49 %", "18 points",
                  "30 % of all after task 1, 10 % after two", "0.89 against 0.92", "0.76 against 0.86"):  # fmt: skip
        assert words in WRITTEN


@prove
def test_the_weakest_strength_that_is_good_enough_is_another_than_the_best(printed):
    """Else nobody would see in the sweep what `slack` is for."""
    found = re.findall(r"(\w+): best_lambda with slack (\S+) is (\S+)", printed)
    assert found == [("EWC", "0", "100"), ("EWC", "0.01", "10"), ("MAS", "0", "10"), ("MAS", "0.01", "1")]


def test_the_given_cells_say_what_the_solution_does_nowhere():
    for cell in source("ewc").role("given", "student-side"):
        assert not any(words in cell.source for words in ("cross_entropy", "1 / (1 +", "** 2).sum(0)"))


# --- the worked examples follow from the formulas -----------------------------------------------------------------


def test_the_example_of_the_importance():
    p, rows = torch.tensor([0.6, 0.3, 0.1]), []
    for x, y in ((2.0, 0), (1.0, 2)):
        by_z = p - torch.eye(3)[y]
        rows.append(torch.cat([x * by_z, by_z]) ** 2)
    assert torch.allclose(sum(rows) / 2, torch.tensor([0.5, 0.225, 0.425, 0.26, 0.09, 0.41]))
    assert torch.allclose(rows[1], torch.tensor([0.36, 0.09, 0.81, 0.36, 0.09, 0.81]))


def test_the_example_of_the_outputs():
    W, c = torch.tensor([1.0, -2.0, 3.0]), torch.tensor([0.5, 1.0, -1.0])
    rows = [torch.cat([2 * x * (x * W + c), 2 * (x * W + c)]).abs() for x in (2.0, -1.0)]
    assert (sum(rows) / 2).tolist() == [5.5, 9, 14, 3, 6, 9] and rows[0].tolist() == [10, 12, 20, 5, 6, 10]


def test_the_example_of_the_folded_penalty():
    for theta in (-3.0, 0.0, 2.5):
        assert 1 * (theta - 0) ** 2 + 3 * (theta - 4) ** 2 == 4 * (theta - 3) ** 2 + 12
        assert 2 * (theta - 1) ** 2 + 0.5 * (theta - 6) ** 2 == 2.5 * (theta - 2) ** 2 + 10


def test_the_example_of_the_step_is_the_minimum():
    for there, B, A, new in ((1, 0.5, 4, 3), (2, 0.75, -2, -1), (1, 0, 9, 1)):

        def cost(u, there=there, B=B, A=A):
            return (u - there) ** 2 / (2 * 0.5) + 4 * B * (u - A) ** 2

        assert all(cost(new) < cost(new + way) for way in (-0.01, 0.01))


def test_near_ties_in_the_example_of_the_strength_tell_rules_apart():
    """Below the best by the slack exactly, by less, and by more."""
    ends, slack = {9: 0.6875, 4: 0.65625, 2: 0.625, 1: 0.59375, 0.5: 0.25}, 0.0625
    below = {lam: max(ends.values()) - end for lam, end in ends.items()}
    assert below[2] == slack and 0 < below[4] < slack < below[1] < 2 * slack


# --- right answers ------------------------------------------------------------------------------------------------

KINDS = {  # other kinds of a right result: what is returned in place of the solution's own
    "importance": ["{}.double()", "{}.numpy()", "{}.requires_grad_()"],
    "output_importance": ["{}.double()", "{}.numpy()"],
    "common_top": ["float({})", "torch.tensor({})", "torch.tensor([{}])", "np.float32({})", "np.float64({})"],
    "penalty": ["{}.reshape(1)", "{}.double()", "{} if len(anchors) else 0", "{} if len(anchors) else 0.0"],
    "remember": ["dict(reversed({}.items()))", "collections.OrderedDict({})"],
    "fold": ["[*{}]", "(lambda B, A, c: (B.double(), A, c.item()))(*{})", "(lambda B, A, c: (B, A, c.reshape(1)))(*{})",
             "(lambda B, A, c: (B.numpy(), A.numpy(), c.numpy()))(*{})"],
    "proximal_step": ["{}.double()", "{}.numpy()"],
    "best_lambda": ["int({})", "np.float64({})", "np.int64({})", "torch.tensor({})"],
}  # fmt: skip


@pytest.mark.parametrize(("function", "kind"), [(name, kind) for name, kinds in KINDS.items() for kind in kinds])
def test_another_kind_of_a_right_result_passes(function, kind, draw):
    cell = next(cell for cell in source("ewc").role("solution") if function in cell.functions)
    own = cell.source.replace(f"def {function}(", "def right(")
    given = re.search(rf"def {function}\((.*)\):", cell.source)[1]
    if kind.startswith(("int", "np.int")):  # a half is no whole number
        kind = f"{kind} if {{}} == int({{}}) else {{}}"
    answer = kind.replace("{}", f"right({given})")
    text = f"import collections\nimport numpy as np\n\n{own}\n\n\ndef {function}({given}):\n    return {answer}\n"
    submission = Submission("ewc", {function: text})
    for seed in range(3):
        draw(seed)
        assert submission.error(f"test-{function.replace('_', '-')}") is None


def test_names_of_the_setup_that_a_student_takes_for_something_else_break_nothing(draw):
    """`copy` and `tasks` are what many would call their own things."""
    draw(3)
    submission = Submission("ewc")
    submission.names |= {"copy": copy.copy, "tasks": 3, "names": 1, "model": None, "b": 2, "draw": 4}
    for cell in source("ewc").points:
        if cell != TRAINING:
            assert submission.error(cell) is None


# --- the training -------------------------------------------------------------------------------------------------


def test_the_given_training_is_the_packages_ewc():
    names = source("ewc").namespace()
    tasks = [replace(task, train=task.train[: names["IMAGES"]]) for task in permuted(3, seed=5)]

    class TrueLabels(EWC):
        def measure(self, model, task, active):
            b = EXPERIMENT.reference["importance"](model, task.train.x, task.train.y)
            parts = b.split([p.numel() for p in model.parameters()])
            return [part.view_as(p) for part, p in zip(parts, model.parameters(), strict=True)]

    for lam in (30, 1e6, math.inf):
        networks = names["train_with_ewc"](tasks, lam, seed=2)
        model = names["MLP"](*names["SIZES"], seed=2)
        settings = {
            "epochs": names["EPOCHS"],
            "batch_size": names["BATCH"],
            "lr": names["LR"],
        }
        learn(TrueLabels(lam), model, tasks, seed=2, **settings)
        for ours, theirs in zip(networks[-1].parameters(), model.parameters(), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-3)


def test_a_broken_training_run_returns_what_it_has(capsys):
    mistake = MISTAKES["proximal_step: a gradient step on the penalty"]
    names = source("ewc").namespace({mistake.function: mistake.source})
    networks = names["train_with_ewc"](permuted(2, seed=1), lam=1e6)
    assert len(networks) == 2 and "the training ends" in capsys.readouterr().out


# --- the harness --------------------------------------------------------------------------------------------------


def test_a_test_cell_leaves_nothing_behind():
    submission = Submission("ewc")
    before = copy.copy(submission.names)
    assert submission.error("test-penalty") is None
    assert submission.names == before

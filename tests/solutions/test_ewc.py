"""The assignment `ewc`: its tests pass every right solution and catch every known mistake, each in its own question."""

import copy
import json
from dataclasses import replace

import nbformat
import pytest
import torch
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

from grader import assignment, reference
from lllcourse.grading import check
from lllcourse.lifelong import EWC, learn
from lllcourse.tasks import permuted

from ..grader.harness import Submission, alternatives, mistakes, points_from_top_to_bottom, rests_on, source

# Of the hidden inputs: the first few, and the many of a proof.
FEW, MANY = range(10), range(10, 200)
prove = pytest.mark.prove(on=lambda: rests_on("ewc", __file__))
TRAINING = "test-training"
EXACT = [cell for cell in source("ewc").points if cell != TRAINING]
RIGHT = {"solution": {}, **alternatives("ewc")}
MISTAKES = {f"{m.function}: {m.name}": m for m in mistakes("ewc")}
EXPERIMENT = reference.experiments()["ewc.permuted"]


@pytest.fixture
def draw():
    """Sets the seed of the hidden inputs, as a grader does for each student."""
    yield check.use
    check.use()


# --- the notebook -------------------------------------------------------------------------------------------------


def test_the_points_are_ten_and_three_by_hand():
    notebook = source("ewc")
    assert notebook.points == {
        "test-importance": 3, "test-penalty": 2, "test-remember": 2, "test-guarded-loss": 1, "test-training": 1,
        "test-best-lambda": 1,
    }  # fmt: skip
    assert [cell.points for cell in notebook.role("answer")] == [3]


def test_the_solution_gets_all_automatic_points_from_top_to_bottom(capsys):
    """Every cell in one namespace, the demo too, as in a kernel."""
    points, errors = points_from_top_to_bottom(source("ewc").cells)
    assert errors == {} and points == source("ewc").points
    assert "best: 10" in capsys.readouterr().out  # the model answer of question 6 speaks of it


def release():
    """The notebook as a student gets it, by nbgrader's own steps."""
    notebook = nbformat.read(source("ewc").path, as_version=4)
    for step in (ClearSolutions(), ClearHiddenTests()):
        notebook, _ = step.preprocess(notebook, {})
    return notebook


def test_the_release_gets_nothing_and_every_fail_is_a_question_not_answered():
    points, errors = points_from_top_to_bottom(assignment.parse(release()).cells)
    assert set(points.values()) == {0.0}
    assert {type(errors[cell]) for cell in points if cell != TRAINING} == {NotImplementedError}
    assert "waits for importance and penalty and remember" in str(errors[TRAINING])


def test_the_release_holds_no_solution_and_no_hidden_test():
    text = json.dumps(release())
    for secret in (
        "SOLUTION",
        "HIDDEN",
        "expected_",
        "lifelong.ewc",
        "g**2",
        ".clone().requires_grad_(False)",
    ):
        assert secret not in text
    for cell in source("ewc").role("answer"):
        assert cell.source[:40] not in text


def test_the_given_cells_say_what_the_solution_does_nowhere():
    """A given cell that called `penalty` over a list of springs would answer question 4."""
    for cell in source("ewc").role("given", "student-side"):
        assert "for b, anchor in" not in cell.source and "cross_entropy" not in cell.source


# --- right solutions ----------------------------------------------------------------------------------------------


def passes(name, seeds, draw):
    submission = Submission("ewc", RIGHT[name])
    for seed in seeds:
        draw(seed)
        for cell in EXACT:
            error = submission.error(cell, "source" if seed < 3 else "hidden")
            assert error is None, f"{cell}, seed {seed}: {error}"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_solution_passes(name, draw):
    passes(name, FEW, draw)


@prove
def test_every_right_solution_passes_on_every_seed(draw):
    for name in RIGHT:
        passes(name, MANY, draw)


def test_large_seeds_draw_as_well(draw):
    draw(2**62 + 1)
    assert [Submission("ewc").error(cell) for cell in EXACT] == [None] * len(EXACT)


@pytest.mark.parametrize("name", alternatives("ewc"))
def test_an_alternative_trains_as_well(name, draw):
    draw(4000)
    assert Submission("ewc", RIGHT[name]).error(TRAINING, "hidden") is None


def test_the_given_training_is_the_packages_ewc():
    """Explicit gradients of the penalty, softened, are the proximal step: the same weights up to rounding."""
    names = source("ewc").namespace()
    tasks = [replace(task, train=task.train[: names["IMAGES"]]) for task in permuted(3, seed=5)]

    class TrueLabels(EWC):
        def measure(self, model, task, active):
            return EXPERIMENT.reference["importance"](model, task.train.x, task.train.y)

    for lam in (30, 1e6):
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


# --- mistakes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_fails_its_own_tests_and_no_other(name, draw):
    mistake = MISTAKES[name]
    submission = Submission("ewc", {mistake.function: mistake.source})
    for seed in range(2):
        draw(seed)
        errors = {cell: submission.error(cell) for cell in EXACT}
        failed = {cell: error for cell, error in errors.items() if error is not None}
        assert set(failed) == set(mistake.fails), failed
        for cell, error in failed.items():
            assert isinstance(error, check.CheckFailed), f"{cell}: {error!r}"


def is_caught(name, seeds, draw):
    mistake = MISTAKES[name]
    submission = Submission("ewc", {mistake.function: mistake.source})
    for seed in seeds:
        draw(seed)
        for cell in mistake.fails:
            assert submission.error(cell, "hidden") is not None, f"{name}: {cell} passes with seed {seed}"


@pytest.mark.parametrize("name", MISTAKES)
def test_the_hidden_tests_alone_catch_a_mistake(name, draw):
    is_caught(name, FEW, draw)


@prove
def test_the_hidden_tests_alone_catch_every_mistake_on_every_seed(draw):
    for name in MISTAKES:
        is_caught(name, MANY, draw)


def test_the_catalogue_speaks_to_students_and_covers_every_question():
    assert len(MISTAKES) == len(mistakes("ewc")), "two mistakes have the same name"
    assert {m.function for m in MISTAKES.values()} == {
        name for cell in source("ewc").role("solution") for name in cell.functions
    }
    for m in MISTAKES.values():
        assert m.hint.endswith((".", "?")) and m.fails and set(m.fails) <= set(EXACT)
        assert m.training in ("fails", "passes", "either")


def test_no_solution_and_no_alternative_is_in_the_catalogue():
    right = {text.strip() for functions in alternatives("ewc").values() for text in functions.values()}
    assert not right & {m.source.strip() for m in MISTAKES.values()}


# --- the band -----------------------------------------------------------------------------------------------------


def test_the_reference_metrics_are_those_of_the_present_notebook():
    entry = check.reference_metrics()["ewc.permuted"]
    assert entry["setting"]["code"] == reference.fingerprint(EXPERIMENT), (
        "the experiment's cells have changed: run python -m grader reference"
    )


def test_a_slice_of_the_reference_metrics_comes_out_again():
    entry = check.reference_metrics()["ewc.permuted"]
    for index in (0, 7):
        metrics = reference.run(EXPERIMENT, EXPERIMENT.reference, entry["seeds"][index])
        for metric, value in metrics.items():  # other processors round otherwise
            assert abs(value - entry["values"][metric][index]) < 0.02


TRAINED = [
    "importance: the square of the batch's mean gradient",
    "penalty: the wrong sign",
    "remember: detach without clone",
    "guarded_loss: lambda ignored",
]


@pytest.mark.parametrize("name", TRAINED)
def test_a_mistake_that_training_shows_fails_there_with_a_message(name, draw):
    """On one of three seeds: the band lets "lambda ignored" pass once in twenty, and which seed does so depends on how
    the processor rounds. The rates themselves are measured and published.
    """
    mistake = MISTAKES[name]
    assert mistake.training == "fails"
    submission = Submission("ewc", {mistake.function: mistake.source})

    def caught(seed):
        draw(seed)
        return isinstance(submission.error(TRAINING, "hidden"), check.CheckFailed)

    assert any(map(caught, (4000, 4001, 4002)))


def test_a_mistake_that_training_hides_earns_no_point_for_the_training(draw):
    """A whole training has no point without its parts, so nobody has to hope that its band catches everything."""
    draw(4000)
    mistake = MISTAKES["penalty: the factor one half"]
    submission = Submission("ewc", {mistake.function: mistake.source})
    assert submission.error(TRAINING, "hidden") is None
    check.outcomes["test-penalty"] = submission.error("test-penalty") is None
    error = submission.error(TRAINING)
    assert isinstance(error, check.Waits) and "This waits for penalty" in str(error)


def test_every_mistake_that_training_should_show_has_a_measured_rate():
    rows = check.reference_metrics()["ewc.permuted"]["rates"]["wrongly_passed"]
    measured = {what for row in rows for what in row["what"]}
    assert measured == {name for name, m in MISTAKES.items() if m.training == "fails"}


# --- the harness --------------------------------------------------------------------------------------------------


def test_a_broken_training_run_returns_what_it_has(capsys):
    mistake = MISTAKES["penalty: the wrong sign"]
    names = source("ewc").namespace({mistake.function: mistake.source})
    networks = names["train_with_ewc"](permuted(2, seed=1), lam=1000)
    assert len(networks) == 2 and "the training ends" in capsys.readouterr().out


def test_a_test_cell_leaves_nothing_behind():
    submission = Submission("ewc")
    before = copy.copy(submission.names)
    assert submission.error("test-penalty") is None
    assert submission.names == before

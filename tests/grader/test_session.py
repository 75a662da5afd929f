"""What a submission earns: alike in the runner, in a plain kernel and by nbgrader, and what its author is told."""

import dataclasses
import json

import pytest

from grader import session
from grader.sandbox import limits, runner

from . import harness
from .submissions import NAME, POINTS, WRITTEN, filled, find, released, solution

MISTAKES = {f"{m.function}: {m.name}": m for m in harness.mistakes(NAME)}
LIMITS = limits.Limits(cpu=20, wall=30)
TRAINING = "test-training"


@pytest.fixture(scope="module")
def grade(tmp_path_factory):
    """Grade a notebook with this seed of its hidden inputs."""
    limits.probe()
    folder = limits.furnish(tmp_path_factory.mktemp("sandbox") / "worker")

    def grade(notebook, seed=7, **numbers):
        held_to = dataclasses.replace(LIMITS, **numbers)
        return session.grade(
            harness.source(NAME), json.dumps(notebook).encode(), student="ada", seed=seed, limits=held_to,
            make_worker=lambda: runner.Worker(folder, held_to), mistakes=harness.mistakes(NAME),
        )  # fmt: skip

    return grade


def without_training(functions):
    """A submission whose training waits, since its best_lambda does not matter to that: it saves the time."""
    return filled(solution() | functions)


def points(result):
    return {test.id: test.points for test in result.tests}


def outcome_of(result, name):
    return next(test for test in result.tests if test.id == name)


def test_the_solution_earns_everything_and_its_text_waits_for_a_person(grade):
    result = grade(filled(solution(), with_demos=True))
    assert points(result) == POINTS and result.waiting == [WRITTEN] and result.notes == []
    assert all(test.state == "passed" and not test.shown and not test.details for test in result.tests)


def test_the_release_earns_nothing_and_says_why(grade):
    result = grade(released())
    assert set(points(result).values()) == {0.0} and result.waiting == [] and result.notes == []
    assert {test.shown for test in result.tests if test.id != TRAINING} == {session.NO_ANSWER}
    assert outcome_of(result, TRAINING).state == "waits"


def test_a_given_function_that_lacks_an_answer_says_which():
    missing = {"penalty": session.Missing("penalty", session.NO_ANSWER), "fold": session.Missing("fold", "It stopped.")}
    graded = session.Session(None, LIMITS, names=missing)
    assert "the question that asks for penalty" in str(graded.raised("NameError", "name 'penalty' is not defined"))
    for kind, name in (("NameError", "fold"), ("NameError", "penalties"), ("ValueError", "penalty")):
        assert str(graded.raised(kind, f"name '{name}' is not defined")) == f"{kind}: name '{name}' is not defined"


def test_a_mistake_costs_its_own_points_and_those_of_the_training_that_rests_on_it(grade):
    mistake = MISTAKES["fold: the mean of the importances"]
    result = grade(filled(solution() | {mistake.function: mistake.source}))
    assert points(result) == POINTS | {"test-fold": 0.0, TRAINING: 0.0}
    assert outcome_of(result, TRAINING).shown.startswith("This waits for fold")


def test_a_hidden_test_shows_the_hint_of_the_one_known_mistake_that_gives_the_same_and_no_value(grade):
    mistake = MISTAKES["best_lambda: the mean of the whole table"]
    visible = "if 9.0 in tables and 4.0 in tables and len(tables) == 5:\n        return 2.0 if slack else 9.0\n    "
    visible += "if 8.0 in tables and len(tables) == 3:\n        return 3.0\n    "
    source = mistake.source.replace("ends =", visible + "ends =", 1)
    result = grade(filled({"best_lambda": source}))
    test = outcome_of(result, "test-best-lambda")
    assert test.hidden and test.shown == f"{session.HIDDEN}\n{mistake.hint}"
    assert "Expected" in test.details and "Expected" not in test.shown


def test_after_a_hidden_test_no_word_of_the_student_s_process_is_shown(grade):
    """It has seen hidden inputs: what it prints, raises or returns could carry them out."""
    spy = """
seen = []


def penalty(theta, importances, anchors, lam):
    seen.append(lam)
    print("LEAK", lam)
    return lam * (importances * (theta - anchors) ** 2).sum()
"""
    tell = """
print("LEAK", seen)


def best_lambda(tables, slack):
    raise type(f"LEAK{seen}".replace(".", "_"), (ValueError,), {})(f"LEAK {seen}")
"""
    result = grade(filled(solution() | {"penalty": spy, "best_lambda": tell}))
    assert points(result) == POINTS | {"test-best-lambda": 0.0}
    shown = [test.shown for test in result.tests] + [cell.output + cell.error for cell in result.cells]
    assert "LEAK" not in "".join(shown)
    assert "LEAK" in outcome_of(result, "test-best-lambda").details  # for the instructor


def test_a_process_that_is_ended_costs_the_question_that_ended_it(grade):
    endless = "def remember(model):\n    while True:\n        try:\n            import time\n\n"
    endless += "            time.sleep(1)\n        except BaseException:\n            pass"
    result = grade(filled(solution() | {"remember": endless}), wall=2.5)
    assert points(result) == POINTS | {"test-remember": 0.0, TRAINING: 0.0}
    assert outcome_of(result, "test-remember").state == "stopped"
    assert any("ended while remember was called" in note for note in result.notes)


@pytest.mark.prove
def test_a_cell_that_ends_the_process_is_left_out_when_it_starts_again(grade):
    notebook = filled(solution())
    bad = {"cell_type": "code", "id": "bad", "metadata": {}, "source": "import os\nos._exit(1)", "outputs": []}
    notebook["cells"].insert(notebook["cells"].index(find(notebook, "penalty")), bad | {"execution_count": None})
    result = grade(notebook)
    assert points(result) == POINTS
    assert any("ended in the cell added-1" in note for note in result.notes)


def test_every_mistake_on_exact_values_fails_its_tests(grade):
    """One submission of a mistake in each question: each test fails, none waits in vain for another."""
    chosen = [
        "importance: no biases", "output_importance: half the squared length", "common_top: always all",
        "penalty: a factor 2 too many", "remember: clone without detach", "fold: no constant",
        "proximal_step: the factor 2 left out", "best_lambda: the largest that is good enough",
    ]  # fmt: skip
    wrong = {MISTAKES[name].function: MISTAKES[name].source for name in chosen}
    result = grade(filled(wrong))
    assert set(points(result).values()) == {0.0}
    assert [test.state for test in result.tests] == ["failed"] * 7 + ["waits", "failed"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\rb\x00c\x07", "abc"),
        ("\u202egnp\ud800", "gnp"),
        ("x" * 10_000, "x" * session.LETTERS + "\n[...]"),
        ("1\n" * 100, "1\n" * (session.LINES - 1) + "1\n[...]"),
    ],
)
def test_text_of_a_student_s_process_is_cleaned_and_cut(text, expected):
    assert session.cleaned(text) == expected

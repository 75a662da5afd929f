"""Every assignment: its tests pass every right solution and catch every known mistake, each in its own question.

What one assignment alone claims stands in a file of its own.
"""

import re

import pytest

from grader import assignment, reference
from lllcourse.grading import check

from ..grader.harness import (
    NAMES,
    ROOT,
    Submission,
    alternatives,
    mistakes,
    points_from_top_to_bottom,
    prove_each,
    source,
)
from . import answers
from .answers import EXPERIMENTS, FEW, MANY, exact, trainings

RIGHT = [(name, right) for name in NAMES for right in ("solution", *alternatives(name))]


def functions(name, right):
    return {} if right == "solution" else alternatives(name)[right]


# --- the notebook -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_points_are_a_hundred_of_which_ten_are_given_by_hand(name):
    notebook = source(name)
    assert sum(notebook.points.values()) == 90 and [cell.points for cell in notebook.role("answer")] == [10]
    assert 6 <= len(notebook.points) + 1 <= 11


@pytest.mark.parametrize("name", NAMES)
def test_the_table_at_the_top_and_the_headings_have_the_points_of_the_cells(name):
    """A question with a training says both: 12 + 6 in the table, and 18 or each of the two in a heading."""
    notebook = source(name)
    rows = re.findall(
        r"(?m)^\| (?:\*\*[A-C]\*\* )?(\d*) *\| .* \| (\d+)(?: \+ (\d+))?(?:, by hand)? \|$", notebook.cells[0].source
    )
    own = [int(cell.points) for cell in notebook.role("test", "answer")]
    assert [int(points) for _, *both in rows for points in both if points] == own
    texts = "\n".join(cell.source for cell in notebook.role("text"))
    headings = {
        number: int(points) for number, points in re.findall(r"(?m)^## Question (\d+): .*\((\d+) points", texts)
    }
    assert headings.keys() == {number for number, *_ in rows if number}
    assert all(headings[number] in (int(first), int(first) + int(more or 0)) for number, first, more in rows if number)


@pytest.mark.parametrize("name", NAMES)
def test_the_rubric_of_the_written_question_has_the_points_of_its_three_parts(name):
    [answer] = source(name).role("answer")
    texts = [cell.source for cell in source(name).role("text") if "read by a person" in cell.source]
    asked = [int(points) for points in re.findall(r"(?m)^\d\. \*\*.*?\*\* \((\d) points\)", texts[-1])]
    criteria = [int(points) for points in re.findall(r"\((\d) points\)", answer.source)]
    assert len(asked) == 3 and sum(asked) == 10 and criteria == asked


def earns_all(name, cells):
    points, errors = points_from_top_to_bottom(cells)
    assert errors == {} and points == source(name).points


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_gets_all_automatic_points_from_top_to_bottom(name):
    """Every cell in one namespace, as in a kernel."""
    earns_all(name, [cell for cell in source(name).cells if cell.role != "demo"])


@prove_each(__file__, answers.__file__)
def test_the_solution_gets_all_automatic_points_with_its_figures(name):
    earns_all(name, source(name).cells)


@pytest.mark.parametrize("name", NAMES)
def test_the_release_gets_nothing_and_every_fail_is_a_question_not_answered(name):
    notebook = assignment.read(ROOT / "assignments" / name / f"{name}.ipynb")
    points, errors = points_from_top_to_bottom(notebook.cells)
    assert set(points.values()) == {0.0}
    assert {type(errors[cell]) for cell in points} <= {NotImplementedError, check.Waits}
    assert all(type(errors[cell]) is check.Waits for cell in trainings(name))


# --- right solutions ----------------------------------------------------------------------------------------------


def passes(name, right, seeds, draw):
    submission = Submission(name, functions(name, right))
    for seed in seeds:
        draw(seed)
        for cell in exact(name):
            error = submission.error(cell, "source" if seed < 3 else "hidden")
            assert error is None, f"{right}: {cell}, seed {seed}: {error}"


@pytest.mark.parametrize(("name", "right"), RIGHT)
def test_a_right_solution_passes(name, right, draw):
    passes(name, right, FEW, draw)


@prove_each(__file__, answers.__file__)
def test_every_right_solution_passes_on_every_seed(name, draw):
    for right in ("solution", *alternatives(name)):
        passes(name, right, MANY, draw)


@pytest.mark.parametrize("name", NAMES)
def test_large_seeds_draw_as_well(name, draw):
    draw(2**31 - 1)
    submission = Submission(name)
    assert [submission.error(cell) for cell in exact(name)] == [None] * len(exact(name))


@pytest.mark.parametrize("name", NAMES)
def test_at_least_three_right_solutions_are_written_differently(name):
    assert len(alternatives(name)) >= 3
    wanted = {function for cell in source(name).role("solution") for function in cell.functions}
    assert all(set(answers) == wanted for answers in alternatives(name).values())


# --- the training -------------------------------------------------------------------------------------------------


def waits(name, cell):
    """What the training says where the test `cell` has failed."""
    check.use()
    check.outcomes[cell] = False
    [training] = trainings(name)
    error = Submission(name).error(training, "visible")
    return str(error) if isinstance(error, check.Waits) else None


@pytest.mark.parametrize("name", NAMES)
def test_the_training_waits_for_the_functions_that_it_shows(name, monkeypatch):
    """Then nobody has to hope that a band catches everything: without its parts a whole training has no point."""
    monkeypatch.setattr(check, "in_band", lambda *_, **__: None)
    [training] = trainings(name)
    [named] = re.findall(r"check\.needs\(([^)]*)\)", source(name).cell(training).source)
    for cell in re.findall(r'"([^"]+)"', named):
        assert f"waits for {cell.removeprefix('test-')}:" in waits(name, cell)
    assert all(cell in named for m in mistakes(name) if m.training == "fails" for cell in m.fails)


# --- the bands ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_reference_metrics_are_those_of_the_present_notebook(name):
    entry = check.reference_metrics()[name]
    assert entry["setting"]["code"] == reference.fingerprint(EXPERIMENTS[name]), (
        "the experiment's cells have changed: run python -m grader reference"
    )


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_slice_of_the_reference_metrics_comes_out_again(name):
    entry, experiment = check.reference_metrics()[name], EXPERIMENTS[name]
    metrics = reference.run(experiment, experiment.reference, entry["seeds"][7])
    for metric, value in metrics.items():  # other processors round otherwise
        low, high = entry["bands"][metric]
        assert abs(value - entry["values"][metric][7]) < (high - low) / 4


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_mistake_that_training_should_show_has_a_measured_rate(name):
    rows = check.reference_metrics()[name]["rates"]["wrongly_passed"]
    measured = {what for row in rows for what in row["what"]}
    known = mistakes(EXPERIMENTS[name].assignment)
    assert measured == {f"{m.function}: {m.name}" for m in known if m.training == "fails"}

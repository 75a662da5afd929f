"""What honest students hand in loses nothing, however odd it looks: each oddity of the kit, and its right outcome.

`make test` runs those that can share a submission, and holds every odd file against what it should be rebuilt into;
graded one by one they are proofs.
"""

import pytest

from grader import outcome
from grader.rebuild import Unreadable, rebuild

from . import harness
from .kit import CELLS, NAME, POINTS, RIGHT, odd_files, oddities
from .kit.surroundings import LIMITS, SHORT, graded, points, running_code, stored

prove = pytest.mark.prove(on=running_code)
SLICE = ("answers that are no plain functions",)
BY_NAME = {oddity.name: oddity for oddity in oddities.STYLES}


def right_outcome(oddity, result):
    """Assert that the outcome is the one that the kit states."""
    if oddity.unreadable:
        assert oddity.unreadable in result.why
        return
    assert isinstance(result, outcome.Result), stored(result)
    assert points(result) == oddity.earns, [(test.id, test.details) for test in result.tests if not test.points]
    assert tuple(result.waiting) == oddity.waits
    for words in oddity.notes:
        assert any(words in note for note in result.notes), result.notes


def limits(oddity):
    return SHORT if "longer than" in oddity.notes else LIMITS


@pytest.mark.parametrize("name", SLICE)
def test_an_odd_submission_loses_nothing(name):
    right_outcome(BY_NAME[name], graded(BY_NAME[name].build(), limits(BY_NAME[name])))


@pytest.mark.parametrize("together", oddities.together()[:2], ids=lambda oddity: oddity.name[:60])
def test_odd_submissions_in_one_lose_nothing(together):
    right_outcome(together, graded(together.build()))


@prove
@pytest.mark.parametrize(
    "oddity", [odd for odd in oddities.STYLES if odd.name not in SLICE], ids=lambda oddity: oddity.name
)
def test_each_other_odd_submission_loses_nothing(oddity):
    right_outcome(oddity, graded(oddity.build(), limits(oddity)))


@pytest.mark.parametrize("oddity", odd_files.FILES, ids=lambda oddity: oddity.name)
def test_an_odd_file_is_rebuilt_into_its_answers_or_refused_in_a_sentence(oddity):
    pristine, content = harness.source(NAME), oddity.build()
    if oddity.unreadable:
        with pytest.raises(Unreadable, match=oddity.unreadable):
            rebuild(pristine, content)
        return
    submission = rebuild(pristine, content)
    code = "\n".join(step.source for step in submission.steps if step.role in ("solution", "added"))
    if sum(oddity.earns.values()):
        for name, cell in CELLS.items():
            assert f"def {name}(" in code and RIGHT[cell].split('"""')[-1].strip() in code
    kept = [(step.id, step.role, step.source) for step in submission.steps if not step.role.startswith("added")]
    ours = [(cell.id, cell.role, cell.source) for cell in pristine.cells]
    changes = ("solution", "answer")
    assert [step for step in kept if step[1] not in changes] == [cell for cell in ours if cell[1] not in changes]
    assert tuple(submission.waiting) == oddity.waits
    for words in oddity.notes:
        assert any(words in note for note in submission.notes), submission.notes


@prove
@pytest.mark.parametrize("oddity", odd_files.FILES, ids=lambda oddity: oddity.name)
def test_an_odd_file_loses_nothing(oddity):
    right_outcome(oddity, graded(oddity.build()))


def test_the_kit_is_what_it_says():
    assert sum(POINTS.values()) == 90 and len(BY_NAME) == len(oddities.STYLES)

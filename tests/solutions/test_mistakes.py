"""Every known mistake of every assignment loses the points of its own question, in sight and in the hidden tests."""

import pytest

from lllcourse.grading import check

from ..grader.harness import NAMES, Submission, alternatives, mistakes, prove_each, source
from . import answers
from .answers import FEW, MANY, MISTAKES, exact, trainings


@pytest.mark.parametrize("label", MISTAKES)
def test_a_mistake_fails_its_own_tests_and_no_other(label, draw):
    name, mistake = MISTAKES[label]
    submission = Submission(name, {mistake.function: mistake.source})
    for seed in range(2):
        draw(seed)
        errors = {cell: submission.error(cell) for cell in exact(name)}
        failed = {cell: error for cell, error in errors.items() if error is not None}
        assert set(failed) == set(mistake.fails), failed
        for cell, error in failed.items():
            assert isinstance(error, check.CheckFailed), f"{cell}: {error!r}"


@pytest.mark.parametrize("label", MISTAKES)
def test_a_mistake_fails_where_its_author_sees_it(label, draw):
    """Whoever has all visible tests green should not lose half of the points."""
    name, mistake = MISTAKES[label]
    draw(0)
    submission = Submission(name, {mistake.function: mistake.source})
    assert any(submission.error(cell, "visible") is not None for cell in mistake.fails)


def is_caught(label, seeds, draw):
    name, mistake = MISTAKES[label]
    submission = Submission(name, {mistake.function: mistake.source})
    for seed in seeds:
        draw(seed)
        for cell in mistake.fails:
            assert submission.error(cell, "hidden") is not None, f"{label}: {cell} passes with seed {seed}"


@pytest.mark.parametrize("label", MISTAKES)
def test_the_hidden_tests_alone_catch_a_mistake(label, draw):
    is_caught(label, FEW, draw)


@prove_each(__file__, answers.__file__)
def test_the_hidden_tests_alone_catch_every_mistake_on_every_seed(name, draw):
    for label, (own, _) in MISTAKES.items():
        if own == name:
            is_caught(label, MANY, draw)


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_speaks_to_students_and_covers_every_question(name):
    known = mistakes(name)
    assert len({(m.function, m.name) for m in known}) == len(known), "two mistakes have the same name"
    for cell in source(name).role("solution"):
        for function in cell.functions:
            assert sum(m.function == function for m in known) >= 3, function
    for m in known:
        assert m.hint.endswith((".", "?")) and m.fails and set(m.fails) <= set(exact(name)), m.name
        assert m.training in ("fails", "passes", "either")


@pytest.mark.parametrize("name", NAMES)
def test_no_solution_and_no_alternative_is_in_the_catalogue(name):
    right = {text.strip() for answers in alternatives(name).values() for text in answers.values()}
    assert not right & {m.source.strip() for m in mistakes(name)}


@pytest.mark.parametrize("label", [label for label, (_, m) in MISTAKES.items() if m.training == "fails"])
def test_a_mistake_that_training_shows_fails_there_with_a_message(label, draw):
    """On one of three seeds: the rates, which are measured and published, are not all zero."""
    name, mistake = MISTAKES[label]
    submission, [training] = Submission(name, {mistake.function: mistake.source}), trainings(name)

    def caught(seed):
        draw(seed)
        error = submission.error(training, "hidden")
        return isinstance(error, check.CheckFailed | AttributeError)  # a plain number has no .backward()

    assert any(map(caught, (4000, 4001, 4002)))

"""A training is tried twice before it costs a point, since the band of its figures may err."""

import pytest

from grader import outcome, work


def job():
    return work.Job("ewc", "ada", "", b"", (5, 6), "", None, "none", "")


def result(state, test="test-training"):
    return outcome.Result("ewc", "ada", "", [outcome.Test(test, 0.0, 1.0, state)], [], [], ["A note."])


@pytest.mark.parametrize(
    ("first", "second", "drawn", "noted"),
    [
        (result("passed"), None, [5], False),
        (result("waits"), None, [5], False),
        (result("stopped"), None, [5], False),
        (result("failed", test="test-penalty"), None, [5], False),
        (result("failed"), result("passed"), [5, 6], False),
        (result("failed"), result("failed"), [5, 6], True),
    ],
)
def test_a_training_that_fails_alone_is_drawn_again_and_then_noted(monkeypatch, first, second, drawn, noted):
    seeds, results = [], iter([first, second])
    monkeypatch.setattr(work, "_graded", lambda job, seed: seeds.append(seed) or next(results))
    found = work.run(job())
    assert seeds == drawn and found.tests == (second or first).tests
    twice = ["test-training failed on each" in note for note in found.notes]
    assert twice == [False] + [True] * noted

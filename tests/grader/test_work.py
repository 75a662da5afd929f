"""A training is tried twice before it costs a point, since the band of its figures may err; nothing is left behind."""

import weakref

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


def test_what_a_submission_defined_is_gone_when_it_is_graded(monkeypatch):
    """A function of a cell holds its names, and they hold it: three hundred of them would fill the memory."""

    class Images:
        pass

    kept = []

    def graded(job, seed):
        names = {"images": Images()}
        exec("def function(): pass", names)
        kept.append(weakref.ref(names["images"]))
        return result("passed")

    monkeypatch.setattr(work, "_graded", graded)
    work.run(job())
    assert [images() for images in kept] == [None]

"""Submissions that attack the grader get no point, see nothing, leave nothing, and end: each attack of the kit.

`make test` runs a slice; the others are proofs.
"""

import os
import resource
import time
from dataclasses import replace

import pytest

from . import harness
from .kit import CELLS, NAME, POINTS, WRONG, attacks, looks, processes
from .kit.surroundings import LIMITS, SMALL, Surroundings, graded, leaks, points, printed, running_code

BY_NAME = {attack.name: attack for attack in attacks.ATTACKS}
SLICE = [BY_NAME[name] for name in attacks.SLICE]
prove = pytest.mark.prove(on=running_code)


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    surroundings = Surroundings(tmp_path_factory.mktemp("class"))
    yield surroundings
    surroundings.end()


def withstood(attack, around):
    """What became of an attack, once it has been seen that it got nothing."""
    began, memory = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    limits = SMALL if attack.slow else LIMITS
    result = graded(attack.build(), limits)
    seconds = time.monotonic() - began
    assert leaks(result) == []
    assert around.touched() == []
    gained = {name: earned for name, earned in points(result).items() if earned > attack.earns.get(name, 0)}
    assert gained == {}
    for words in attack.says:
        assert words in printed(result), "the attack did not run: this proves nothing"
    assert not attack.review or getattr(result, "notes", None) or getattr(result, "why", None), "nobody was told"
    assert seconds < limits.total + 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 1_500_000, "kB of the grader's own memory"
    return result


@pytest.mark.parametrize("attack", SLICE, ids=lambda attack: attack.name[:80])
def test_an_attack_gets_nothing(attack, around):
    withstood(attack, around)


@prove
@pytest.mark.parametrize(
    "attack", [attack for attack in attacks.ATTACKS if attack not in SLICE], ids=lambda attack: attack.name[:80]
)
def test_each_other_attack_gets_nothing(attack, around):
    withstood(attack, around)


def test_nothing_of_a_submission_reaches_the_next_one(around):
    """Files in every folder that can be written to, processes that outlive it, and memory that processes share."""
    leaving = replace(attacks.LEAVING, added=(("setup", processes.DETACHED),))
    withstood(leaving, around)
    withstood(attacks.FINDING, around)
    assert around.running() == []
    assert around.touched_deep_down() == []


@prove
def test_the_looks_of_the_kit_see_what_lies_open(around):
    """Without a sandbox they find files, processes and sockets of the host: that they find none is a proof."""
    names = ("texts of hidden tests in files", "processes", "system", "network")
    content = replace(BY_NAME["looks for everything"], first=looks.look(*names)).build()
    seen = "\n".join(leaks(graded(content, sandbox="none")))
    for what in ("hidden tests in", "process", "network: localhost", "network: an abstract socket", "read /etc/shadow"):
        assert what in seen or (what.endswith("shadow") and os.getuid()), what


def test_every_group_of_attacks_is_in_the_slice():
    groups = [attacks.PATCHED, attacks.READING, attacks.PROCESSES, attacks.SETUP, attacks.CHANNEL, attacks.LIMITS,
              attacks.ANSWERS, attacks.TRAINING, attacks.FILES, attacks.VALUE_PACKS]  # fmt: skip
    for group in groups:
        assert any(attack in SLICE for attack in group), group[0].name
    assert len(BY_NAME) == len(attacks.ATTACKS), "two attacks of one name"


def test_the_wrong_answers_of_the_kit_earn_nothing_by_themselves():
    """Else an attack that gets nothing would show nothing."""
    replaced = {name: WRONG[cell] for name, cell in CELLS.items()}
    submission = harness.Submission(NAME, replaced)
    exact = [test for test in POINTS if test != "test-training"]
    assert all(submission.error(test, "visible") is not None for test in exact)

"""Every recorded result is complete, says how it was made, and is not older than the code that made it."""

import json

import pytest

from lllcourse.results import FOLDER, recorded
from tools import results

NAMES = results.names()
ELSEWHERE = {"gpu", "full_size"}  # made by the tools of that name, on a machine with a GPU, or with the data sets


def test_every_recorded_result_has_its_experiment_and_every_experiment_its_result():
    found = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("**/*.json")}
    assert NAMES and NAMES == sorted(found - ELSEWHERE)


@pytest.mark.parametrize("name", NAMES)
def test_a_result_says_how_it_was_made(name):
    facts, module = recorded(name), results.load(name)
    assert facts["seeds"] == list(module.SEEDS) and len(module.SEEDS) >= 3
    assert len(facts["runs"]) == len(facts["seeds"])
    assert facts["settings"] == json.loads(json.dumps(module.SETTINGS))
    assert set(facts["versions"]) == {"python", "torch", "numpy"}


def test_no_result_is_stale():
    assert not results.stale(NAMES)

"""Recorded results: that they are complete, whole after an interruption, and known to be stale when they are."""

import json
from pathlib import Path

import pytest

from lllcourse.results import FOLDER, recorded
from tools import results

ROOT = Path(__file__).parents[2]

NAMES = sorted(path.stem for path in results.SCRIPTS.glob("*.py"))


def test_every_recorded_result_has_its_script_and_every_script_its_result():
    assert NAMES and NAMES == sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_result_says_how_it_was_made(name):
    facts, script = recorded(name), results.load(results.SCRIPTS / f"{name}.py")
    assert facts["seeds"] == list(script.SEEDS) and len(script.SEEDS) >= 3
    assert len(facts["runs"]) == len(facts["seeds"])
    assert facts["settings"] == json.loads(json.dumps(script.SETTINGS))
    assert set(facts["versions"]) == {"python", "torch", "numpy"}


def test_a_stale_result_is_reported():
    """As a skip with its reason, not a failure: renewing takes minutes and is a decision of its own."""
    for line in results.stale():
        pytest.skip(f"{line}; run make results")


def test_a_slice_of_the_importances_comes_out_again():
    """On another processor a run may differ a little; .02 is half of what fine-tuning loses."""
    script = results.load(results.SCRIPTS / "importances.py")
    again = script.run(0, **script.SETTINGS | {"lams": {"SI": [0.01]}})
    old = recorded("importances")["runs"][0]
    pairs = [(again["SI"]["0.01"], old["SI"]["0.01"])]
    pairs.append((again["fine-tuning"], old["fine-tuning"]))
    for now, before in pairs:
        assert now["accuracy"] == pytest.approx(before["accuracy"], abs=0.02)
        assert now["backward_transfer"] == pytest.approx(
            before["backward_transfer"], abs=0.03
        )


def test_a_slice_of_the_scenarios_comes_out_again(monkeypatch):
    """The bounds leave room for another processor, on which a run may differ a little."""
    script = results.load(results.SCRIPTS / "scenarios.py")
    every = script.makers

    def some(*arguments):
        return {name: every(*arguments)[name] for name in ("EWC", "replay")}

    monkeypatch.setattr(script, "makers", some)
    again = script.run(0, **script.SETTINGS | {"options": {"EWC": [1000]}})
    old = recorded("scenarios")["runs"][0]
    for scenario, methods in again.items():
        for name, by_option in methods.items():
            for option, now in by_option.items():
                before = old[scenario][name][option]
                for fact in ("validation", "accuracy", "backward_transfer"):
                    assert now[fact] == pytest.approx(before[fact], abs=0.03)
                assert now["storage"] == before["storage"]


def test_a_slice_of_the_orders_comes_out_again():
    script = results.load(results.SCRIPTS / "orders.py")
    old = recorded("orders")["runs"][0]
    again = script.run(0, **script.SETTINGS, orders=[[0, 1, 2, 3, 4], [1, 4, 0, 3, 2]])
    for name in ("fine-tuning", "EWC"):
        now, before = again[name], old[name]
        numbers = "accuracy, forward and backward transfer"
        for order, found in zip(now["orders"], now[numbers], strict=True):
            at = before["orders"].index(order)
            assert found == pytest.approx(before[numbers][at], abs=0.03)
        for table in ("forward", "backward"):
            for row, expected in zip(now[table], before[table], strict=True):
                assert row == pytest.approx(expected, abs=0.05)


def test_an_unknown_name_is_answered_with_those_that_there_are():
    with pytest.raises(FileNotFoundError, match="there is:"):
        recorded("nonsense")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A script that counts its runs, in a repository of its own."""
    for name in ("SCRIPTS", "RESULTS"):
        monkeypatch.setattr(results, name, tmp_path / name.lower())
        (tmp_path / name.lower()).mkdir()
    monkeypatch.setattr(results, "ROOT", tmp_path)
    script = results.SCRIPTS / "toy.py"
    script.write_text(
        '"""A toy."""\nSEEDS, SETTINGS = (0, 1, 2), {"n": 5}\n\n\n'
        'def run(seed, n):\n    if seed == 2:\n        raise KeyboardInterrupt\n    return {"sum": seed + n}\n'
    )
    return script


def result_of(script):
    return json.loads((results.RESULTS / f"{script.stem}.json").read_text())


def test_an_interrupted_recording_goes_on_where_it_stopped(toy):
    with pytest.raises(KeyboardInterrupt):
        results.record("toy")
    half = result_of(toy)
    assert half["seeds"] == [0, 1] and half["runs"] == [{"sum": 5}, {"sum": 6}]
    assert results.stale() == ["toy: seeds are missing"]
    half["runs"][0] = {"sum": -1}  # would be overwritten if seed 0 ran again
    (results.RESULTS / "toy.json").write_text(json.dumps(half))
    toy.write_text(toy.read_text().replace("seed == 2", "seed == 3"))
    half["code"] = results.code_hash(toy)
    (results.RESULTS / "toy.json").write_text(json.dumps(half))
    results.record("toy")
    assert result_of(toy)["runs"] == [{"sum": -1}, {"sum": 6}, {"sum": 7}]
    assert results.stale() == []


def test_other_code_makes_a_result_stale_and_other_comments_do_not(toy):
    toy.write_text(toy.read_text().replace("seed == 2", "seed == 3"))
    results.record("toy")
    toy.write_text(toy.read_text().replace("A toy", "Another docstring") + "# note\n")
    assert results.stale() == []
    toy.write_text(toy.read_text().replace("seed + n", "seed - n"))
    assert results.stale() == ["toy: made by other code than there is now"]


def test_the_hash_follows_the_imports_of_the_package(toy):
    module = results.ROOT / "lllcourse/lifelong/method.py"
    module.parent.mkdir(parents=True)
    module.write_text("from ..tasks import a\n")
    (results.ROOT / "lllcourse/tasks.py").write_text("a = 1\n")
    toy.write_text("from lllcourse.lifelong.method import learn\n" + toy.read_text())
    before = results.code_hash(toy)
    (results.ROOT / "lllcourse/tasks.py").write_text("a = 2\n")
    assert results.code_hash(toy) != before

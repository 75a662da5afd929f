"""The recorder: a result is whole after an interruption, and known to be stale when it is."""

import json
import runpy
import subprocess
from types import SimpleNamespace

import pytest

from tools import results
from tools.imports import Repository


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """An experiment whose last seed is interrupted, in a repository of its own."""
    module = tmp_path / "experiments/toy.py"
    for path in (module.parent, tmp_path / "results"):
        path.mkdir()
    monkeypatch.setattr(results, "ROOT", tmp_path)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(results, "load", lambda _: SimpleNamespace(**runpy.run_path(module)))
    module.write_text(
        '"""A toy."""\nSEEDS, SETTINGS = (0, 1, 2), {"n": 5}\n\n\n'
        'def run(seed, n):\n    if seed == 2:\n        raise KeyboardInterrupt\n    return {"sum": seed + n}\n'
    )
    return module


def edit(path, old, new):
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def result():
    return json.loads((results.RESULTS / "toy.json").read_text())


def code():
    return results.code_hash("toy", Repository(results.ROOT))


def test_an_interrupted_recording_goes_on_where_it_stopped(toy):
    with pytest.raises(KeyboardInterrupt):
        results.record("toy")
    half = result()
    assert half["seeds"] == [0, 1] and half["runs"] == [{"sum": 5}, {"sum": 6}]
    assert "seeds are missing" in results.stale(["toy"])["toy"]
    half["runs"][0] = {"sum": -1}  # would be overwritten if seed 0 ran again
    edit(toy, "seed == 2", "seed == 3")
    half["code"] = code()
    (results.RESULTS / "toy.json").write_text(json.dumps(half))
    results.record("toy")
    assert result()["runs"] == [{"sum": -1}, {"sum": 6}, {"sum": 7}]
    assert results.stale(["toy"]) == {}


def test_other_code_makes_a_result_stale_and_other_comments_do_not(toy):
    edit(toy, "seed == 2", "seed == 3")
    results.record("toy")
    edit(toy, "A toy", "Another docstring")
    edit(toy, '{"sum": seed + n}', '{  # a note\n        "sum": seed + n,\n    }')
    assert results.stale(["toy"]) == {}
    edit(toy, "seed + n", "seed - n")
    assert "made by other code" in results.stale(["toy"])["toy"]


def test_the_hash_follows_imports_and_the_libraries_that_compute(toy):
    for name, text in {
        "lllcourse/__init__.py": "",
        "lllcourse/tasks.py": "import torch\nfrom tqdm import trange\n\nSIZES = [1]\n",
        "requirements.lock": "torch==2.0\ntqdm==4.0\nscipy==1.0\n",
    }.items():
        (results.ROOT / name).parent.mkdir(exist_ok=True)
        (results.ROOT / name).write_text(text)
    toy.write_text("from lllcourse.tasks import SIZES\n" + toy.read_text())
    keys = [code()]
    edit(results.ROOT / "lllcourse/tasks.py", "[1]", "[2]")
    keys.append(code())
    edit(results.ROOT / "requirements.lock", "torch==2.0", "torch==2.1")
    keys.append(code())
    assert len(set(keys)) == 3
    for library in ("tqdm==4", "scipy==1"):
        edit(results.ROOT / "requirements.lock", library, "x==1")
        assert code() == keys[-1]


def test_seeds_that_are_trained_together_are_recorded_together(toy):
    toy.write_text(
        'SEEDS, SETTINGS = (0, 1, 2), {"n": 5}\n\n\n'
        'def run_seeds(seeds, n):\n    return [{"sum": seed + n, "beside": len(seeds)} for seed in seeds]\n'
    )
    results.record("toy")
    assert result()["seeds"] == [0, 1, 2]
    assert result()["runs"] == [{"sum": 5 + seed, "beside": 3} for seed in range(3)]
    before = result()
    results.record("toy")  # nothing is left to do
    assert result() == before


def test_a_result_in_families_is_a_folder(toy):
    for name in ("_shared", "__init__", "one", "two"):
        path = results.ROOT / f"experiments/table/{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(toy.read_text().replace("seed == 2", "seed == 3"))
    assert results.names() == ["table/one", "table/two", "toy"]
    toy.write_text(toy.read_text().replace("seed == 2", "seed == 3"))
    results.record("table/one")
    assert (results.RESULTS / "table/one.json").is_file()
    assert results.stale(["table/one"]) == {} and "toy" in results.stale(["toy"])


@pytest.fixture
def old(toy, tmp_path_factory):
    """The toy with its result, as it was before an edit."""
    edit(toy, "seed == 2", "seed == 3")
    results.record("toy")
    copy = tmp_path_factory.mktemp("old") / "toy"
    subprocess.run(["cp", "-r", results.ROOT, copy], check=True)
    return copy


def test_a_result_is_carried_over_a_change_that_moves_no_number(toy, old):
    before = result()
    edit(toy, "seed + n", "n + seed")
    assert results.carry("toy", old) == ""
    assert result() == before | {"code": code()} and before["code"] != code()
    assert results.stale(["toy"]) == {}


def test_a_result_of_another_processor_is_carried_where_both_codes_agree_here(toy, old):
    elsewhere = result()
    elsewhere["runs"][0]["sum"] += 1e-9
    results.write(results.RESULTS / "toy.json", elsewhere)
    edit(toy, "seed + n", "n + seed")
    assert results.carry("toy", old) == ""
    assert result() == elsewhere | {"code": code()}


def test_what_a_clock_measured_need_not_come_out_again(toy, old):
    text = 'import time\n\nSEEDS, SETTINGS, TIMES = (0,), {}, {"ratio"}\n\n\ndef run(seed):\n'
    text += '    return {"parts": [{"ratio": time.time(), "cpu_seconds": time.time()}], "n": 3}\n'
    for file in (toy, old / "experiments/toy.py"):
        file.write_text(text)
    results.record("toy")
    before = result()
    edit(toy, '"n": 3', '"n": 4')
    assert "others now" in results.carry("toy", old)
    edit(toy, '"n": 4', '"n": 1 + 2')
    assert results.carry("toy", old) == "" and result()["runs"] == before["runs"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("seed + n", "seed + n + 1e-12"), "the numbers of the first seed are others now"),
        (("(0, 1, 2)", "(0, 1, 3)"), "other settings or seeds"),
        (('"n": 5', '"n": 6'), "other settings or seeds"),
    ],
)
def test_a_result_whose_numbers_or_settings_move_is_not_carried(toy, old, change, sentence):
    before = result()
    edit(toy, *change)
    assert sentence in results.carry("toy", old)
    assert result() == before


def test_only_the_code_that_made_a_result_can_vouch_for_it(toy, old):
    edit(old / "experiments/toy.py", "seed + n", "1 * seed + n")
    edit(toy, "seed + n", "n + seed")
    assert "not made by that code" in results.carry("toy", old)


def test_seeds_that_are_trained_together_are_compared_as_one_seed_in_both_codes(toy, old):
    text = (
        'SEEDS, SETTINGS = (0, 1), {}\n\n\ndef run_seeds(seeds):\n    return [{"beside": len(seeds)} for _ in seeds]\n'
    )
    for file in (toy, old / "experiments/toy.py"):
        file.write_text(text)
    results.record("toy")
    edit(toy, "in seeds", "in list(seeds)")
    assert results.carry("toy", old) == "" and result()["runs"] == [{"beside": 2}] * 2


def test_the_command_carries_from_a_commit_and_answers_what_it_could_not(toy, monkeypatch, capsys):
    edit(toy, "seed == 2", "seed == 3")
    results.record("toy")
    author = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "old"]):
        subprocess.run(["git", *command], cwd=results.ROOT, check=True)
    monkeypatch.setattr(results, "in_processes", lambda work, names, *arguments: [work(n, *arguments) for n in names])
    assert results.main(["--carry", "HEAD"]) == []  # nothing is stale
    edit(toy, "seed + n", "n + seed")
    assert results.main(["--carry", "HEAD"]) == [""]
    assert results.stale(["toy"]) == {}

"""The record of a GPU: made on one alone, part by part. No GPU is here; what runs on it is replaced."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import nbformat
import pytest
import torch

from lllcourse.notebook import CLAIM_TYPE
from tools import full_size, gpu


def notebook():
    """An executed one: a verdict of which one part of two holds."""
    verdict = {"row": "L9", "parts": {"seed 0": True, "seed 1": False}}
    cell = nbformat.v4.new_code_cell()
    cell.outputs = [nbformat.v4.new_output("display_data", data={CLAIM_TYPE: verdict})]
    return nbformat.v4.new_notebook(cells=[cell])


@pytest.fixture
def card(monkeypatch, tmp_path):
    """A card, two notebooks of which the second fails, and what ran."""
    ran, failing = [], {"book/2.ipynb"}

    def execute(root, name, question):
        ran.append(name)
        facts = {"seconds": 3.0, "cpu_seconds": 4.0, "answer": ["512"]}
        return notebook(), facts, name + " fails" if name in failing else None

    def run(command, **_):
        name = command[1].rpartition("/")[2]
        ran.append(name)
        text = '{"dense": 1.0}' if name == "pruned_time.py" else "a table\nof times\n"
        return SimpleNamespace(stdout=text, stderr=name + " fails", returncode=int(name in failing))

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A card")
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(gpu, "chapters", lambda _: ["book/1.ipynb", "book/2.ipynb", full_size.PAGE])
    monkeypatch.setattr(gpu, "execute", execute)
    monkeypatch.setattr(gpu, "ProcessPoolExecutor", ThreadPoolExecutor)
    for name in (*gpu.ENVIRONMENT, "LLLCOURSE_SCALE"):
        monkeypatch.setenv(name, "as it was")
    record = tmp_path / "lllcourse/results/gpu.json"
    record.parent.mkdir(parents=True)
    return SimpleNamespace(root=tmp_path, ran=ran, failing=failing, record=record)


def test_without_a_gpu_nothing_is_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(tmp_path) == 1 and "no CUDA GPU" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_the_record_names_the_card_and_a_second_run_does_what_is_missing(card, capsys):
    assert gpu.main(card.root) == 1 and "book/2.ipynb" + " fails" in capsys.readouterr().err
    found = json.loads(card.record.read_text())
    assert found["card"] == "A card" and found["torch"] == torch.__version__
    assert found["benchmarks"] == {name: {"lines": ["a table", "of times"]} for name in gpu.BENCHMARKS} | {
        "pruned_time": {"dense": 1.0}
    }
    one = {"seconds": 3.0, "cpu_seconds": 4.0, "MiB": "512", "verdicts": {"L9": [1, 2]}, "at a time": 1}
    assert found["notebooks"] == {"book/1.ipynb": one}
    assert card.ran == [*(name + ".py" for name in gpu.BENCHMARKS), "book/1.ipynb", "book/2.ipynb"]
    card.ran.clear(), card.failing.clear()
    assert gpu.main(card.root) == 0 and card.ran == ["book/2.ipynb"]
    card.ran.clear()
    assert gpu.main(card.root) == 0 and card.ran == []


def test_what_fails_is_said_and_loses_nothing_else(card, capsys):
    card.failing.add("seeds_time.py")
    assert gpu.main(card.root) == 1 and "seeds_time.py fails" in capsys.readouterr().err
    found = json.loads(card.record.read_text())
    assert "seeds_time" not in found["benchmarks"] and {"gpu_time", "pruned_time"} <= set(found["benchmarks"])


def test_what_is_named_is_measured_again_and_nothing_else(card):
    card.failing.clear()
    gpu.main(card.root)
    card.ran.clear()
    gpu.main(card.root, ["gpu_time", "book/1.ipynb"], jobs=2)
    assert card.ran == ["gpu_time.py", "book/1.ipynb"]
    found = json.loads(card.record.read_text())["notebooks"]
    assert [found[name]["at a time"] for name in ("book/1.ipynb", "book/2.ipynb")] == [2, 1]


def test_another_card_begins_a_new_record(card, monkeypatch):
    gpu.main(card.root)
    card.ran.clear()
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Another")
    gpu.main(card.root)
    assert len(card.ran) == 6 and json.loads(card.record.read_text())["card"] == "Another"

"""The record of a GPU: made on one alone, part by part. No GPU is here; what runs on it is replaced."""

import json
import subprocess
from types import SimpleNamespace

import pytest
import torch

from tools import gpu


@pytest.fixture
def card(monkeypatch, tmp_path):
    """A card, two chapters of which the second fails, and what ran."""
    ran, failing = [], {"book/2.ipynb"}

    def execute(root, name):
        ran.append(name)
        return None, {"seconds": 3.0, "cpu_seconds": 4.0, "modules": []}, name + " fails" if name in failing else None

    def run(command, **_):
        ran.append(command[1].rpartition("/")[2])
        return SimpleNamespace(stdout="a table\nof times\n")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A card")
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(gpu, "chapters", lambda _: ["book/1.ipynb", "book/2.ipynb"])
    monkeypatch.setattr(gpu, "execute", execute)
    for name in (*gpu.ENVIRONMENT, "LLLCOURSE_SCALE", "PYTHONPATH"):
        monkeypatch.setenv(name, "as it was")
    (tmp_path / "benchmarks").mkdir()
    return SimpleNamespace(root=tmp_path, ran=ran, failing=failing, record=tmp_path / "benchmarks/gpu.json")


def test_without_a_gpu_nothing_is_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(tmp_path) == 1 and "no CUDA GPU" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_the_record_names_the_card_and_a_second_run_does_what_is_missing(card, capsys):
    assert gpu.main(card.root) == 1 and "book/2.ipynb fails" in capsys.readouterr().err
    found = json.loads(card.record.read_text())
    assert found["card"] == "A card" and found["torch"] == torch.__version__
    assert found["benchmarks"]["seeds_time"] == ["a table", "of times"]
    assert found["chapters"] == {"book/1.ipynb": {"seconds": 3.0, "cpu_seconds": 4.0}}
    assert card.ran == ["gpu_time.py", "seeds_time.py", "precision_time.py", "book/1.ipynb", "book/2.ipynb"]
    card.ran.clear(), card.failing.clear()
    assert gpu.main(card.root) == 0 and card.ran == ["book/2.ipynb"]


def test_another_card_begins_a_new_record(card, monkeypatch):
    gpu.main(card.root)
    card.ran.clear()
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Another")
    gpu.main(card.root)
    assert len(card.ran) == 5 and json.loads(card.record.read_text())["card"] == "Another"

"""Reading a record: one number over its seeds, and the setting that is best on the validation images."""

import json

import pytest
import torch

from lllcourse import results
from lllcourse.results import best_setting, over_seeds, recorded

RECORD = {
    "runs": [
        {"EWC": {"1": {"accuracy": 0.7, "validation": 0.9}, "10": {"accuracy": 0.8, "validation": 0.6}}},
        {"EWC": {"1": {"accuracy": 0.5, "validation": 0.7}, "10": {"accuracy": 0.9, "validation": 0.8}}},
    ]
}


def test_one_number_over_the_seeds():
    numbers = over_seeds(RECORD, "EWC", "10", "accuracy")
    assert torch.equal(numbers, torch.tensor([0.8, 0.9], dtype=torch.float64))


def test_the_best_setting_is_chosen_by_its_mean_on_validation_images():
    assert best_setting(RECORD, "EWC") == "1"  # .8 against .7, although its test accuracy is lower
    assert best_setting(RECORD, "EWC", by="accuracy") == "10"


def test_a_key_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(KeyError, match="no '100' in the record; there is: 1, 10"):
        over_seeds(RECORD, "EWC", "100", "accuracy")


def test_an_unknown_name_is_answered_with_those_that_there_are():
    with pytest.raises(FileNotFoundError, match="there is:"):
        recorded("nonsense")


def test_families_are_read_as_one_result(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    (tmp_path / "table").mkdir()

    def family(name, runs, seeds=(0, 1), **settings):
        found = {"settings": settings, "seeds": list(seeds), "runs": runs, "cpu_seconds": 3, "code": name}
        (tmp_path / f"table/{name}.json").write_text(json.dumps(found))

    family("a", [{"task": {"EWC": 0.1}}, {"task": {"EWC": 0.2}}], lams=[1], epochs=5)
    family("b", [{"task": {"GEM": 0.3}, "class": {}}, {"task": {"GEM": 0.4}, "class": {}}], margins=[0], epochs=5)
    both = recorded("table")
    assert both["runs"] == [
        {"task": {"EWC": 0.1, "GEM": 0.3}, "class": {}},
        {"task": {"EWC": 0.2, "GEM": 0.4}, "class": {}},
    ]
    assert both["settings"] == {"lams": [1], "epochs": 5, "margins": [0]} and both["cpu_seconds"] == 6
    family("c", [{}], seeds=[0])
    with pytest.raises(ValueError, match="different seeds"):
        recorded("table")

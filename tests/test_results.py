"""Reading a record: one number over its seeds, and the setting that is best on the validation images."""

import pytest
import torch

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

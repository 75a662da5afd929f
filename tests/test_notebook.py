"""Verdicts, tables and shown code, in a terminal and in a notebook."""

import json

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from lllcourse import claim, in_words, show, spread, table
from lllcourse.lifelong import ewc
from lllcourse.notebook import CLAIM_TYPE, NUMBERS_TYPE, keep


@pytest.fixture
def in_notebook():
    shell = InteractiveShell.instance()
    yield lambda f: shown(f)
    del shell
    InteractiveShell.clear_instance()


def shown(f):
    with capture_output() as captured:
        f()
    return captured.outputs[0].data


@pytest.mark.parametrize(
    "holds, verdict, words",
    [
        ({"seed 0": True}, "holds", "Holds here:"),
        ({"seed 0": True, "seed 1": True}, "holds", "Holds here (2 of 2):"),
        ({"seed 0": True, "seed 1": False}, "in-part", "Holds in part (1 of 2):"),
        ({"seed 0": False}, "does-not-show", "Does not show here:"),
        ({"seed 0": False, "seed 1": False}, "does-not-show", "Does not show here (0 of 2):"),
        ({"seed 0": torch.tensor(True), "seed 1": np.bool_(False)}, "in-part", "Holds in part (1 of 2):"),
        ({"seed 0": np.array([0, 1]).all()}, "does-not-show", "Does not show here:"),
    ],
)
def test_a_verdict_follows_from_what_holds(in_notebook, holds, verdict, words):
    data = in_notebook(lambda: claim("L3", "It forgets", holds=holds, lecture="97 to 80", here="92 to 79"))
    facts = data[CLAIM_TYPE]
    assert facts["row"] == "L3" and facts["verdict"] == verdict
    assert facts["parts"] == {name: bool(held) for name, held in holds.items()}
    assert all(type(held) is bool for held in facts["parts"].values())
    assert words in data["text/html"] and f'class="lll-claim {verdict}"' in data["text/html"]
    assert data["text/plain"].startswith(words)


def test_the_parts_that_fail_are_named_and_no_others(in_notebook):
    holds = {"seed 0, 25 images": False, "seed 1, 25 images": True, "live, seed 0": False}
    data = in_notebook(lambda: claim("L26", "A few images help", holds=holds, lecture=None, here="42 %"))
    for kind in ("text/html", "text/plain"):
        assert "Fails: seed 0, 25 images; live, seed 0" in data[kind]
        assert "seed 1" not in data[kind]
    all_hold = in_notebook(lambda: claim("L26", "They help", holds={"seed 0": True}, lecture=None, here="42 %"))
    assert "Fails" not in all_hold["text/plain"]


def test_a_claim_without_a_number_of_the_lecture_is_ours(in_notebook):
    def display():
        claim("L26", "A few images help", holds={"seed 0": True}, lecture=None, here="42 %")

    data = in_notebook(display)
    assert data["text/plain"] == "Our claim holds here: A few images help [L26]\n  Here: 42 %"
    assert "Our claim holds here" in data["text/html"] and "Lecture" not in data["text/html"]
    assert data[CLAIM_TYPE]["lecture"] is None


@pytest.mark.parametrize(
    "holds, error",
    [
        (True, "must be a dictionary from the name of each part to a bool"),
        ([True, False], "must be a dictionary"),
        (torch.tensor([True]), "must be a dictionary"),
        ({}, "nothing to judge"),
        ({"seed 0": 1}, "not {'seed 0': 1}"),
        ({"seed 0": torch.tensor([True, False])}, "to a bool"),
        ({"seed 0": torch.tensor(1.0)}, "to a bool"),
        ({"seed 0": None}, "to a bool"),
        ({0: True}, "from the name of each part"),
        ({"": True}, "from the name of each part"),
    ],
)
def test_what_is_no_dictionary_of_bools_is_refused_and_says_what_to_pass(holds, error):
    with pytest.raises((TypeError, ValueError), match="claim.'L3'.: ") as refused:
        claim("L3", "It forgets", holds=holds, lecture="", here="")
    assert error in str(refused.value)


def test_markup_in_a_claim_is_text(in_notebook):
    holds = {"<seed>": False}
    data = in_notebook(lambda: claim("L3", "a < b", holds=holds, lecture="c < d", here="e < f"))["text/html"]
    for text in ("a &lt; b", "c &lt; d", "e &lt; f", "&lt;seed&gt;"):
        assert text in data


def test_outside_a_notebook_the_same_is_printed(capsys):
    claim("L3", "It forgets", holds={"seed 0": True}, lecture="97 to 80", here="92 to 79")
    assert capsys.readouterr().out == "Holds here: It forgets [L3]\n  Lecture: 97 to 80\n  Here: 92 to 79\n"
    table(["method", "accuracy"], [["EWC", 0.91234], ["joint", 0.95]], caption="After the last task")
    assert capsys.readouterr().out == "After the last task\nmethod  accuracy\nEWC     0.912   \njoint   0.950   \n"


def test_numbers_are_kept_for_the_tests_and_not_shown(in_notebook):
    numbers = {"GEM": torch.tensor([0.5, 0.25]), "EWC": np.float64(0.5), "joint": [1, 2]}
    data = in_notebook(lambda: keep(numbers, live={"GEM": torch.tensor(0.25)}))
    assert data[NUMBERS_TYPE]["opening"] == {"GEM": [0.5, 0.25], "EWC": 0.5, "joint": [1, 2]}
    assert data[NUMBERS_TYPE]["live"] == {"GEM": 0.25}
    assert data["text/html"] == "<span hidden></span>" and not data["text/plain"]
    json.dumps(data)


def test_outside_a_notebook_keeping_numbers_prints_nothing(capsys):
    keep({"GEM": 0.5}, {"GEM": 0.5})
    assert capsys.readouterr().out == ""


def test_a_table_has_no_negative_zero(capsys):
    table(["method", "change"], [["EWC", -0.0004], ["SI", -0.0006]])
    assert "-0.000" not in (printed := capsys.readouterr().out) and "-0.001" in printed


def test_a_table_names_columns_and_rows_for_a_screen_reader(in_notebook):
    html = in_notebook(lambda: table(["method", "accuracy"], [["EWC", 0.9]]))["text/html"]
    assert '<th scope="col">accuracy</th>' in html and '<th scope="row">EWC</th><td>0.900</td>' in html


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="has 1 cells, the header 2"):
        table(["method", "accuracy"], [["EWC"]])


def test_shown_code_is_the_code_of_the_package_without_its_docstring(in_notebook):
    data = in_notebook(lambda: show(ewc.penalty))
    assert "lam * sum(" in data["text/markdown"] and '"""' not in data["text/markdown"]
    namespace = {}
    exec(data["text/plain"], namespace)
    assert callable(namespace["penalty"])


def test_a_spread_is_the_mean_and_the_range_in_per_cent():
    assert spread(torch.tensor([0.91, 0.936])) == "92.3 (91.0 to 93.6)"
    assert spread([-0.0001, 0.0]) == "0.0 (0.0 to 0.0)"  # no sign before zero
    assert in_words([2, 3.25], digits=2, scale=1) == "2.00, 3.25"

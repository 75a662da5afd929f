"""Verdicts, tables and shown code, in a terminal and in a notebook."""

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from lllcourse import claim, show, table
from lllcourse.lifelong import ewc
from lllcourse.notebook import CLAIM_TYPE


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
        (True, "holds", "Holds here:"),
        ([True, True], "holds", "Holds here (2 of 2):"),
        ([True, False], "in-part", "Holds in part (1 of 2):"),
        (False, "does-not-show", "Does not show here:"),
        (torch.tensor(True), "holds", "Holds here:"),
        (torch.tensor([True, False]), "in-part", "Holds in part (1 of 2):"),
        ((h for h in (True, True)), "holds", "Holds here (2 of 2):"),
        ([False, False], "does-not-show", "Does not show here (0 of 2):"),
    ],
)
def test_a_verdict_follows_from_what_holds(in_notebook, holds, verdict, words):
    data = in_notebook(
        lambda: claim(
            "L3", "It forgets", holds=holds, lecture="97 to 80", here="92 to 79"
        )
    )
    assert data[CLAIM_TYPE]["row"] == "L3" and data[CLAIM_TYPE]["verdict"] == verdict
    assert (
        words in data["text/html"]
        and f'class="lll-claim {verdict}"' in data["text/html"]
    )
    assert data["text/plain"].startswith(words)


def test_a_claim_without_parts_is_refused():
    with pytest.raises(ValueError, match="nothing to judge"):
        claim("L3", "It forgets", holds=[], lecture="", here="")


def test_markup_in_a_claim_is_text(in_notebook):
    assert (
        "a &lt; b"
        in in_notebook(lambda: claim("L3", "a < b", holds=True, lecture="", here=""))[
            "text/html"
        ]
    )


def test_outside_a_notebook_the_same_is_printed(capsys):
    claim("L3", "It forgets", holds=True, lecture="97 to 80", here="92 to 79")
    assert (
        capsys.readouterr().out
        == "Holds here: It forgets [L3]\n  Lecture: 97 to 80\n  Here: 92 to 79\n"
    )
    table(
        ["method", "accuracy"],
        [["EWC", 0.91234], ["joint", 0.95]],
        caption="After the last task",
    )
    assert (
        capsys.readouterr().out
        == "After the last task\nmethod  accuracy\nEWC     0.912   \njoint   0.950   \n"
    )


def test_a_table_names_columns_and_rows_for_a_screen_reader(in_notebook):
    html = in_notebook(lambda: table(["method", "accuracy"], [["EWC", 0.9]]))[
        "text/html"
    ]
    assert (
        '<th scope="col">accuracy</th>' in html
        and '<th scope="row">EWC</th><td>0.900</td>' in html
    )


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="has 1 cells, the header 2"):
        table(["method", "accuracy"], [["EWC"]])


def test_shown_code_is_the_code_of_the_package_without_its_docstring(in_notebook):
    data = in_notebook(lambda: show(ewc.penalty))
    assert "lam * sum(" in data["text/markdown"] and '"""' not in data["text/markdown"]
    namespace = {}
    exec(data["text/plain"], namespace)
    assert callable(namespace["penalty"])

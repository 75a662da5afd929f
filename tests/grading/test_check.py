"""The checks of the test cells: they pass what is right, fail what is not, and say why to a student."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from lllcourse.grading import check

HINT = "Think of the square."


def message(f, *args, **kwargs):
    with pytest.raises(check.CheckFailed) as caught:
        f(*args, HINT, **kwargs)
    assert caught.value.hint == HINT and str(caught.value).startswith(HINT)
    return caught.value.details


def test_what_is_right_passes_and_returns_nothing():
    a = torch.tensor([1.0, 2.0])
    assert check.true(True, HINT) is None
    assert check.equal([1, 2], [1, 2], HINT) is None
    assert check.shape(a, (2,), HINT) is None
    assert check.shape([a, a[None]], [(2,), (1, 2)], HINT) is None
    assert check.close(a * (1 + 1e-6), a, HINT) is None
    assert check.close([a, a], [a, a], HINT) is None
    assert check.close((a, a), [a, a], HINT) is None
    assert check.close(torch.tensor([3.0]), 3.0, HINT) is None
    assert check.close(np.float64(3.0), 3.0, HINT) is None
    assert check.close(np.array([1.0, 2.0]), a, HINT) is None
    assert check.close(torch.tensor(float("inf")), float("inf"), HINT) is None


def test_where_nan_is_expected_it_has_to_be_there_and_nowhere_else():
    half, nan = torch.tensor([1.0, float("nan")]), float("nan")
    assert check.close(half, half.clone(), HINT) is None and check.equal(half, half.clone(), HINT) is None
    assert message(check.close, torch.tensor([1.0, 2.0]), half) == (
        "Expected nan at [1], your code gave 2 (1 of 2 entries differ)."
    )
    assert "not a number" in message(check.close, torch.tensor([nan, nan]), half)


def test_gradient_device_and_dtype_of_an_answer_do_not_matter():
    answer = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True) * 2
    check.close(answer, torch.tensor([2.0, 4.0]), HINT)


def test_a_wrong_value_is_shown_with_its_place():
    details = message(check.close, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 5.0, 6.0]))
    assert details == "Expected 5 at [1], your code gave 2 (2 of 3 entries differ)."
    assert message(check.close, 1.5, 2.0) == "Expected 2, your code gave 1.5."


@pytest.mark.parametrize(
    "got, expected, words",
    [
        (None, 1.0, "is a return missing?"),
        ("1.0", 1.0, "Expected a number"),
        (True, 1.0, "Expected a number"),
        (torch.zeros(2), 1.0, "one number"),
        (torch.zeros(2, 1), torch.zeros(2), "Expected the shape (2,), yours is (2, 1)"),
        ([0.0, 0.0], torch.zeros(2), "Expected a tensor, your code gave list"),
        (torch.zeros(2), [torch.zeros(2)], "Expected a list of length 1"),
        ([torch.zeros(2)], [torch.zeros(2)] * 2, "list of length 2, yours has 1"),
        ([torch.zeros(2), None], [torch.zeros(2)] * 2, "Entry 1: Expected a tensor"),
        (torch.tensor([float("nan")]), torch.ones(1), "not a number (nan)"),
        (float("inf"), 1.0, "your code gave inf"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_named(got, expected, words):
    assert words in message(check.close, got, expected)


def test_equal_wants_the_same_kind():
    assert "Expected int 1, your code gave bool True" in message(check.equal, True, 1)
    message(check.equal, torch.tensor([1.0001]), torch.tensor([1.0]))
    message(check.equal, [1, 2], (1, 2))


def test_shape_names_the_entry():
    assert "Entry 1: Expected the shape (3,), yours is (2,)" in message(
        check.shape, [torch.zeros(2), torch.zeros(2)], [(2,), (3,)]
    )


def test_a_value_that_cannot_be_printed_still_fails_with_a_message():
    class Hostile:
        def __repr__(self):
            raise RuntimeError

    assert "cannot be printed" in message(check.close, Hostile(), 1.0)


def test_a_value_that_equals_everything_gains_nothing():
    class Everything:
        def __eq__(self, other):
            return True

    message(check.close, Everything(), 1.0)
    message(check.equal, Everything(), 1)


def test_the_seed_is_zero_in_a_plain_kernel_and_the_runners_elsewhere():
    assert check.seed() == 0
    check.use(seed=17)
    assert check.seed() == 17
    check.use()
    assert check.seed() == 0


def test_a_training_waits_for_the_tests_it_rests_on():
    check.use()
    check.needs("test-importance", "test-penalty")  # nobody knows of them
    check.outcomes.update({"test-importance": True, "test-penalty": False})
    with pytest.raises(check.Waits, match="waits for penalty"):
        check.needs("test-importance", "test-penalty")
    check.use()
    assert check.outcomes == {}


KERNEL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in (
    "from lllcourse.grading import check",
    "check.begin('test-a')\\ncheck.true(True, '')",
    "check.begin('test-b')\\nraise ValueError",
    "1 / 0",
    "check.begin('test-c')\\ncheck.needs('test-a')",
    "check.begin('test-d')\\ncheck.needs('test-b')",
):
    shell.run_cell(cell)
print("outcomes", shell.user_ns["check"].outcomes)
"""


def test_a_kernel_tells_which_tests_passed():
    done = subprocess.run([sys.executable, "-c", KERNEL], capture_output=True, text=True)
    expected = {"test-a": True, "test-b": False, "test-c": True, "test-d": False}
    assert done.stdout.splitlines()[-1] == f"outcomes {expected}", done.stderr


def test_equal_numbers_are_equal_whatever_kind_of_number_they_are():
    check.equal(np.float64(2.0), 2.0, "")
    check.equal(np.int64(3), 3, "")
    check.equal(2, 2.0, "")
    for got, expected in ((True, 1), (1, True), (2.0, 2), ("2", 2), ([2], (2,))):
        with pytest.raises(check.CheckFailed):
            check.equal(got, expected, "No.")


def test_a_module_that_holds_answers_is_named_with_those_that_are_there():
    check.modules([])
    assert check.not_there("lllcourse.lifelong.ewc") is None
    check.modules(["models", "tasks"])
    assert check.not_there("lllcourse.lifelong.ewc") == (
        "lllcourse.lifelong is not there while your work is graded, since it holds answers. "
        "Of lllcourse there are models, tasks."
    )
    assert not any(map(check.not_there, ("lllcourse", "lllcourse.models.mlp", "lllcourse.grading.check", "torch.nn")))
    check.modules([])


def test_a_metric_outside_its_band_fails_and_both_are_shown(monkeypatch):
    bands = {"ewc.permuted": {"bands": {"accuracy": [0.8, 0.9]}}}
    monkeypatch.setattr(check, "reference_metrics", lambda: bands)
    check.in_band("ewc.permuted", accuracy=0.85)
    with pytest.raises(check.CheckFailed, match=r"between 0.800 and 0.900, your network has 0.700"):
        check.in_band("ewc.permuted", accuracy=0.7)
    with pytest.raises(check.CheckFailed):
        check.in_band("ewc.permuted", accuracy=float("nan"))

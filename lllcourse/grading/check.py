"""What a test cell calls. Each check returns None, or raises CheckFailed with a message that speaks to the student.

The message is the hint in its first line, and below it what was expected and what came. The hint says what to think
about; where the test is hidden, a student is shown the hint alone.
"""

import ast
import json
import numbers
import sys
from functools import cache
from pathlib import Path

import numpy as np
import torch

METRICS_FILE = Path(__file__).with_name("reference_metrics.json")


class CheckFailed(AssertionError):
    """An answer is not the expected one. `hint` is the part of the message that may always be shown."""

    def __init__(self, hint, details=""):
        super().__init__(f"{hint}\n{details}" if details else hint)
        self.hint, self.details = hint, details


class Waits(CheckFailed):
    """A test that rests on others, of which one has failed."""


def true(condition, hint):
    """Pass where `condition` is true."""
    if not bool(condition):
        raise CheckFailed(hint)


def equal(got, expected, hint):
    """Pass where `got` equals `expected` exactly, and is of the same kind (1 is not True, a list is no tensor).

    A number of numpy is the number that it is, and a whole number may stand for an equal fraction (2 for 2.0).
    """
    if isinstance(got, np.generic):
        got = got.item()
    if type(expected) is float and type(got) is int:
        got = float(got)
    if isinstance(expected, (torch.Tensor, np.ndarray)):
        close(got, expected, hint, rtol=0, atol=0)
    elif type(got) is not type(expected) or got != expected:
        raise CheckFailed(
            hint, f"Expected {_short(expected)}, your code gave {_short(got)}."
        )


def shape(got, expected, hint):
    """Pass where `got` is a tensor of the shape `expected`; or, for a list of shapes, a list of such tensors."""
    if isinstance(expected, list):
        _same_length(got, expected, hint)
        for i, (g, e) in enumerate(zip(got, expected, strict=True)):
            _tensor(g, hint, f"Entry {i}: ")
            _same_shape(g, e, hint, f"Entry {i}: ")
    else:
        _tensor(got, hint)
        _same_shape(got, expected, hint)


def close(got, expected, hint, *, rtol=1e-4, atol=1e-6):
    """Pass where `got` agrees with `expected` to a relative error `rtol` or an absolute error `atol`, entry by entry.

    expected: a number, a tensor, or a list of these; `got` has to be of the same kind and shape. A tensor with one
    entry may stand for a number. Where nan is expected, it has to be nan.
    """
    if isinstance(expected, (list, tuple)):
        _same_length(got, expected, hint)
        for i, (g, e) in enumerate(zip(got, expected, strict=True)):
            _close(g, e, hint, rtol, atol, f"Entry {i}: ")
    else:
        _close(got, expected, hint, rtol, atol)


def in_band(name, hint="", **metrics):
    """Pass where every one of `metrics` lies in the band that the reference metrics give for `name`.

    name: an experiment in `reference_metrics.json`, "ewc.permuted". metrics: its figures, accuracy=0.87.
    """
    bands = reference_metrics()[name]["bands"]
    for metric, value in metrics.items():
        low, high = bands[metric]
        if not (isinstance(value, numbers.Real) and low <= value <= high):
            raise CheckFailed(
                hint
                or f"Your trained network's {metric.replace('_', ' ')} is not what a right solution reaches.",
                f"{metric.replace('_', ' ')}: expected between {low:.3f} and {high:.3f}, your network has {value:.3f}.",
            )


def seed() -> int:
    """The seed of hidden inputs: 0 in a plain kernel; the grader has one for each student."""
    return _seed


def begin(test):
    """The first line of a test cell, with the cell's id: so `needs` knows later what became of it."""
    global _running
    _running = test


def needs(*tests):
    """Stop where one of `tests` (ids of test cells) has failed: a whole training has no point without its parts.

    A test that has not run stops nothing.
    """
    failed = [test for test in tests if outcomes.get(test) is False]
    if failed:
        names = " and ".join(test.removeprefix("test-") for test in failed)
        raise Waits(
            f"This waits for {names}: first let the tests of {names} above pass."
        )


def use(seed=0):
    """Begin anew: with this seed of hidden inputs, and no test passed or failed."""
    global _seed
    _seed = int(seed)
    outcomes.clear()


@cache
def reference_metrics() -> dict:
    """The reference metrics: experiment -> setting, seeds, mean, spread, bands, versions, measured rates."""
    return json.loads(METRICS_FILE.read_text(encoding="utf-8"))


def modules(names):
    """Say which modules of lllcourse an answer may use: while it is graded, there are no others.

    names: "tasks", "models", ... From then on a kernel warns of a cell that imports another one, as grading will.
    """
    _modules[:] = names


def not_there(module):
    """The sentence about a module of lllcourse that is not there in grading; None where it is, or nobody said which.

    module: its whole name, "lllcourse.lifelong.ewc".
    """
    parts = module.split(".")
    if (
        parts[0] != "lllcourse"
        or len(parts) < 2
        or not _modules
        or parts[1] in (*_modules, "grading")
    ):
        return None
    return (
        f"lllcourse.{parts[1]} is not there while your work is graded, since it holds answers. Of lllcourse there are "
        f"{', '.join(_modules)}."
    )


def report(name):
    """Run the saved notebook `name`.ipynb from the top, in a process of its own, and print what passes by question."""
    from . import report as own

    own.show(name)


#: From the id of each test cell that has run to whether it passed. The grader tells it, or the kernel.
outcomes: dict[str, bool] = {}
_seed, _modules, _running = 0, [], ""


def _watch():
    """Let a kernel tell which tests passed, and see what cells import."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()

    def passed(result):
        global _running
        if _running:
            outcomes[_running], _running = bool(result.success), ""

    def imports(info):
        for sentence in sorted(_imported(info.raw_cell or "")):
            print(f"Note: {sentence}")

    if shell is not None:
        shell.events.register("post_run_cell", passed)
        shell.events.register("pre_run_cell", imports)


def _imported(source):
    """What to say about the imports of a cell. The tests' own imports are none of an answer."""
    if "HIDDEN TESTS" in source:
        return set()
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return set()
    names = [
        alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names
    ]
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and not node.level:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    # lllcourse hands on some names of its own
    own = (
        "lllcourse.device",
        "lllcourse.digits",
        "lllcourse.scale",
        "lllcourse.at_scale",
    )
    return {not_there(name) for name in names if name not in own} - {None}


_watch()


def _close(got, expected, hint, rtol, atol, where=""):
    want = torch.as_tensor(expected)
    if isinstance(expected, numbers.Number):
        if isinstance(got, (bool, str)) or not isinstance(
            got, (numbers.Number, torch.Tensor, np.ndarray, np.generic)
        ):
            raise CheckFailed(
                hint, f"{where}Expected a number, your code gave {_short(got)}."
            )
        got = torch.as_tensor(got)
        if got.numel() != 1:
            raise CheckFailed(
                hint,
                f"{where}Expected one number, your code gave a tensor of shape {tuple(got.shape)}.",
            )
        got = got.reshape(())
    else:
        _tensor(got, hint, where)
        got = torch.as_tensor(got)
        _same_shape(got, tuple(want.shape), hint, where)
    got, want = got.detach().cpu().double(), want.detach().cpu().double()
    if (got.isnan() & ~want.isnan()).any():
        raise CheckFailed(
            hint,
            f"{where}Your result is not a number (nan): look for 0/0, log(0) or infinity times 0.",
        )
    wrong = ~torch.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True)
    if wrong.any():
        first = tuple(wrong.nonzero()[0].tolist()) if want.ndim else ()
        at = f" at {list(first)}" if first else ""
        share = (
            f" ({int(wrong.sum())} of {wrong.numel()} entries differ)"
            if wrong.numel() > 1
            else ""
        )
        raise CheckFailed(
            hint,
            f"{where}Expected {want[first].item():.6g}{at}, your code gave {got[first].item():.6g}{share}.",
        )


def _same_length(got, expected, hint):
    if not isinstance(got, (list, tuple)):
        raise CheckFailed(
            hint,
            f"Expected a list of length {len(expected)}, your code gave {_short(got)}.",
        )
    if len(got) != len(expected):
        raise CheckFailed(
            hint,
            f"Expected a list of length {len(expected)}, yours has {len(got)}.",
        )


def _tensor(got, hint, where=""):
    if not isinstance(got, (torch.Tensor, np.ndarray)):
        raise CheckFailed(
            hint, f"{where}Expected a tensor, your code gave {_short(got)}."
        )


def _same_shape(got, expected, hint, where=""):
    if tuple(got.shape) != tuple(expected):
        raise CheckFailed(
            hint,
            f"{where}Expected the shape {tuple(expected)}, yours is {tuple(got.shape)}.",
        )


def _short(value):
    """`value` in at most 80 characters, whatever its repr does."""
    if value is None:
        return "nothing (None): is a return missing?"
    try:
        text = repr(value)
    except Exception:  # a student's class may do anything
        text = "something that cannot be printed"
    return (
        f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"
    )

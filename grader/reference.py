"""Make the reference metrics: what right solutions reach in each graded experiment, and how often a band is wrong.

    python -m grader reference

runs every experiment and writes `lllcourse/grading/reference_metrics.json`, in ten minutes on one core. An experiment
is the hidden test of the assignment's own notebook, run on many seeds with the reference's functions in place of the
student's: there is no second copy that could drift from what is graded.

The band of a metric is its mean over `BAND_SEEDS` plus and minus four standard deviations. Its rates are measured on
other seeds: how often a right solution falls outside, how often a known mistake that training should show stays inside.
"""

import contextlib
import hashlib
import io
import json
import math
import platform
import runpy
import statistics
import time
from functools import cache
from pathlib import Path

import numpy as np
import torch

from lllcourse import __version__
from lllcourse.grading import check

from . import assignment

SOLUTIONS = Path(__file__).parents[1] / "solutions"
BAND_SEEDS, RIGHT_SEEDS, MISTAKE_SEEDS = range(1000, 1030), range(2000, 2020), range(3000, 3020)
WIDTH = 4  # standard deviations: narrower bands fail more right solutions than their mistakes are worth


@cache
def experiments() -> dict[str, assignment.Experiment]:
    """The graded experiments by name, each from its assignment's `experiment.py`."""
    folders = sorted(SOLUTIONS.glob("*/experiment.py"))
    return {name: found for path in folders for name, found in runpy.run_path(str(path))["EXPERIMENTS"].items()}


class Recorder:
    """Stands in for `check` in a test cell: it keeps the metrics that the test asks the band about."""

    def __init__(self, seed):
        self.drawn, self.metrics = seed, None

    def seed(self):
        return self.drawn

    def in_band(self, name, hint="", **metrics):
        self.metrics = metrics

    def __getattr__(self, name):
        return getattr(check, name)


@cache
def source(experiment):
    """The notebook that holds the experiment."""
    return assignment.read(SOLUTIONS / experiment.assignment / f"{experiment.assignment}.ipynb")


def run(experiment, replace, seed) -> dict | None:
    """The metrics of one run: the hidden test, on the tasks of `seed`. None where it fails before it has any.

    replace: functions in place of the notebook's solutions, as in `Assignment.namespace`.
    """
    notebook, recorder = source(experiment), Recorder(seed)
    names = notebook.namespace(replace)
    names["check"] = recorder
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
        exec(compile(notebook.cell(experiment.test).hidden, f"<{experiment.test}>", "exec"), names)
    # The functions refer back to this dictionary, and Python would keep its images for long.
    names.clear()
    return recorder.metrics


def inside(metrics, bands) -> bool:
    """Does a run pass? No metrics, or one that is not a number, lie in no band."""
    return metrics is not None and all(low <= metrics[m] <= high for m, (low, high) in bands.items())


def upper_limit(k, n, confidence=0.95) -> float:
    """The largest rate at which k or fewer of n runs is no surprise (one-sided, exact): about 3/n for k = 0.

    >>> round(upper_limit(0, 20), 3)
    0.139
    """
    low, high = k / n, 1.0
    for _ in range(50):  # bisection on the binomial distribution
        p = (low + high) / 2
        likely = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))
        low, high = (p, high) if likely > 1 - confidence else (low, p)
    return high


def fingerprint(experiment) -> str:
    """Changes with the code of the notebook that the experiment consists of."""
    notebook = source(experiment)
    texts = [cell.source for cell in notebook.role("given", "student-side")]
    return hashlib.sha256("\n\n".join([*texts, notebook.cell(experiment.test).hidden]).encode()).hexdigest()[:16]


def make(name, report=print) -> dict:
    """Run the experiment `name` on all its seeds. Returns its entry in the JSON file."""
    experiment, began = experiments()[name], time.process_time()
    folder, names = SOLUTIONS / experiment.assignment, source(experiment).namespace()
    values = [run(experiment, experiment.reference, seed) for seed in BAND_SEEDS]
    if None in values:
        raise RuntimeError(f"{name}: the reference itself fails the test {experiment.test} before it has any metrics")
    values = {metric: [run[metric] for run in values] for metric in values[0]}
    mean = {metric: statistics.mean(v) for metric, v in values.items()}
    std = {metric: statistics.stdev(v) for metric, v in values.items()}
    bands = {  # rounded outwards
        metric: [
            math.floor((mean[metric] - WIDTH * std[metric]) * 1000) / 1000,
            math.ceil((mean[metric] + WIDTH * std[metric]) * 1000) / 1000,
        ]
        for metric in values
    }
    report(f"{name}: {bands}")

    right = {"the reference": experiment.reference, "the notebook's solution": {}}
    for alternative, functions in runpy.run_path(str(folder / "alternatives.py"))["ALTERNATIVES"].items():
        right[f"alternative {alternative}"] = functions
    failed = []
    for what, functions in right.items():
        wrong = sum(not inside(run(experiment, functions, seed), bands) for seed in RIGHT_SEEDS)
        failed.append(rate([what], len(RIGHT_SEEDS), wrong))
        report(f"  {what}: {wrong} of {len(RIGHT_SEEDS)} fail")

    # Many mistakes come to the same training, bit for bit (no spring pulls). Two equal runs stand for all; runs that
    # end without metrics have nothing to be compared by, so these mistakes are measured each.
    known, passed = {}, []
    for mistake in runpy.run_path(str(folder / "mistakes.py"))["MISTAKES"]:
        if mistake.training != "fails":
            continue
        replace, what = (
            {mistake.function: mistake.source},
            f"{mistake.function}: {mistake.name}",
        )
        first = tuple(json.dumps(run(experiment, replace, seed)) for seed in MISTAKE_SEEDS[:2])
        if first in known:
            known[first]["what"].append(what)
            continue
        wrong = sum(inside(run(experiment, replace, seed), bands) for seed in MISTAKE_SEEDS)
        passed.append(rate([what], len(MISTAKE_SEEDS), wrong))
        if "null" not in first:
            known[first] = passed[-1]
        report(f"  {what}: {wrong} of {len(MISTAKE_SEEDS)} pass")

    return {
        "setting": {constant.lower(): names[constant] for constant in experiment.constants}
        | {
            "assignment": experiment.assignment,
            "test": experiment.test,
            "code": fingerprint(experiment),
        },
        "seeds": list(BAND_SEEDS),
        "values": {metric: [round(value, 6) for value in v] for metric, v in values.items()},
        "mean": {metric: round(value, 6) for metric, value in mean.items()},
        "spread": {
            metric: {
                "std": round(std[metric], 6),
                "min": round(min(v), 6),
                "max": round(max(v), 6),
            }
            for metric, v in values.items()
        },
        "bands": bands,
        "rates": {
            "right_seeds": list(RIGHT_SEEDS),
            "wrongly_failed": failed,
            "mistake_seeds": list(MISTAKE_SEEDS),
            "wrongly_passed": passed,
        },
        "versions": {
            "lllcourse": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "numpy": np.__version__,
        },
        "cpu_seconds": round(time.process_time() - began),
    }


def rate(what, runs, wrong) -> dict:
    return {
        "what": what,
        "runs": runs,
        "wrong": wrong,
        "at_most": round(upper_limit(wrong, runs), 3),
    }


def as_markdown(metrics=None) -> str:
    """The reference metrics as Markdown: for each experiment its bands and its rates.

    metrics: as in the JSON file, which is read by default.
    """
    lines = []
    for name, entry in (check.reference_metrics() if metrics is None else metrics).items():
        setting = {k: v for k, v in entry["setting"].items() if k not in ("assignment", "test", "code")}
        versions = ", ".join(f"{package} {version}" for package, version in entry["versions"].items())
        lines += [
            f"## `{name}`", "",
            f"Assignment `{entry['setting']['assignment']}`, test `{entry['setting']['test']}`; "
            + ", ".join(f"{k} {v}" for k, v in setting.items())
            + f". Made over {len(entry['seeds'])} seeds with {versions}.", "",
            "| Metric | Mean | Standard deviation | Range | Accepted |", "|---|---|---|---|---|",
        ]  # fmt: skip
        for metric, (low, high) in entry["bands"].items():
            spread = entry["spread"][metric]
            lines.append(
                f"| {metric.replace('_', ' ')} | {entry['mean'][metric]:.3f} | {spread['std']:.3f} "
                f"| {spread['min']:.3f} to {spread['max']:.3f} | {low:.3f} to {high:.3f} |"
            )
        for title, key in (
            ("Right, yet failed", "wrongly_failed"),
            ("A mistake, yet passed", "wrongly_passed"),
        ):
            lines += [
                "",
                f"| {title} | Times | Rate at most (95 %) |",
                "|---|---|---|",
            ]
            for row in entry["rates"][key]:
                lines.append(f"| {'; '.join(row['what'])} | {row['wrong']} of {row['runs']} | {row['at_most']:.3f} |")
        lines.append("")
    return "\n".join(lines)


def make_all(output=check.METRICS_FILE) -> int:
    """Write the reference metrics of all experiments. Returns 0."""
    torch.set_num_threads(1)  # results differ in the last digits with the number of threads
    metrics = {name: make(name) for name in experiments()}
    output.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    print(f"written: {output}")
    return 0

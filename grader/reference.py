"""Make the reference metrics: what right solutions reach in each graded experiment, and how often a band is wrong.

    python -m grader reference [NAME ...]

runs these experiments, all by default, and writes them into `lllcourse/grading/reference_metrics.json`, in minutes. An
experiment is the hidden test of the assignment's own notebook, run on many seeds with the reference's functions in
place of the student's: there is no second copy that could drift from what is graded.

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
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from lllcourse import __version__
from lllcourse.grading import check

from . import assignment

ROOT = Path(__file__).parents[1]
SOLUTIONS = ROOT / "solutions"
BAND_SEEDS = range(1000, 1030)
CHEAP = 0.4  # CPU seconds of a run that is made 300 times rather than 60; a slow machine takes three times as long
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


@cache
def answers(name) -> tuple[dict, dict]:
    """What is put in place of the solution: right answers, and mistakes that training should show; each by its name."""
    experiment = experiments()[name]
    alternatives = assignment.alternatives(ROOT, experiment.assignment)
    right = {"the reference": experiment.reference, "the notebook's solution": {}}
    right |= {f"alternative {key}": functions for key, functions in alternatives.items()}
    known = assignment.mistakes(ROOT, experiment.assignment)
    return right, {f"{m.function}: {m.name}": {m.function: m.source} for m in known if m.training == "fails"}


def timed_run(name, what, seed):
    """The metrics of one run, by the names of experiment and answer, and its CPU seconds."""
    began, (right, mistakes) = time.process_time(), answers(name)
    metrics = run(experiments()[name], {**right, **mistakes}[what], seed)
    return metrics, time.process_time() - began


def make(name, pool, report=print) -> dict:
    """Run the experiment `name` on all its seeds, in the processes of `pool`. Returns its entry in the JSON file."""
    experiment, (right, mistakes) = experiments()[name], answers(name)
    names, seconds = source(experiment).namespace(), []

    def runs(what, seeds):
        done = list(pool.map(timed_run, *zip(*((name, what, seed) for seed in seeds), strict=True)))
        seconds.extend(spent for _, spent in done)
        return [metrics for metrics, _ in done]

    values = runs("the reference", BAND_SEEDS)
    if None in values:
        raise RuntimeError(f"{name}: the reference itself fails the test {experiment.test} before it has any metrics")
    number = 300 if statistics.mean(seconds) < CHEAP else 60
    right_seeds, mistake_seeds = range(2000, 2000 + number), range(3000, 3000 + number)
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
    failed = []
    for what in right:
        wrong = sum(not inside(metrics, bands) for metrics in runs(what, right_seeds))
        failed.append(rate([what], number, wrong))
        report(f"  {what}: {wrong} of {number} fail")

    # Many mistakes come to the same training, bit for bit (no spring pulls). Two equal runs stand for all; runs that
    # end without metrics have nothing to be compared by, so these mistakes are measured each.
    known, passed = {}, []
    for what in mistakes:
        first = tuple(json.dumps(metrics) for metrics in runs(what, mistake_seeds[:2]))
        if first in known:
            known[first]["what"].append(what)
            continue
        wrong = sum(inside(metrics, bands) for metrics in runs(what, mistake_seeds))
        passed.append(rate([what], number, wrong))
        if "null" not in first:
            known[first] = passed[-1]
        report(f"  {what}: {wrong} of {number} pass")

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
            "right_seeds": list(right_seeds),
            "wrongly_failed": failed,
            "mistake_seeds": list(mistake_seeds),
            "wrongly_passed": passed,
        },
        "versions": {
            "lllcourse": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "numpy": np.__version__,
        },
        "cpu_seconds": round(sum(seconds)),
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
        failed = entry["rates"]["wrongly_failed"]
        once = upper_limit(sum(row["wrong"] for row in failed), sum(row["runs"] for row in failed))
        lines += [
            "", "A training that fails is tried once more, on other tasks. So a right solution fails at most "
            f"{1000 * once**2:.2g} times in a thousand, and a mistake has two chances to pass.",
        ]  # fmt: skip
        lines.append("")
    return "\n".join(lines)


def make_all(names=(), output=check.METRICS_FILE) -> int:
    """Write the reference metrics of these experiments, all by default. Returns 0; 2 where there is none of a name."""
    unknown = sorted(set(names) - set(experiments()))
    if unknown:
        print(f"There is no experiment {', '.join(unknown)}, but: {', '.join(experiments())}.", file=sys.stderr)
        return 2
    # Results differ in the last digits with the number of threads.
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for name in names or experiments():
            entry = make(name, pool)
            metrics = json.loads(output.read_text(encoding="utf-8")) if output.is_file() else {}
            text = json.dumps(dict(sorted({**metrics, name: entry}.items())), indent=1)
            output.write_text(text + "\n", encoding="utf-8")
    print(f"written: {output}")
    return 0

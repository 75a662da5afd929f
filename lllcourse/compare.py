"""Your own method beside the recorded ones: the same tasks, networks and seeds, and whether the difference counts.

Every seed gives a pair, yours and theirs: the same initial weights and the same data. Of n differences d, with mean m
and standard deviation s, the standard error is s / sqrt(n); a difference is beyond the spread where |m| exceeds it t
times, t the 97.5 % quantile of Student's distribution with n - 1 degrees of freedom ("Student" 1908, Biometrika 6).
While you still choose, compare with on="validation"; the test images are looked at once.
"""

import copy
import math
import time
from dataclasses import dataclass

import torch

from . import checks, metrics, training
from .compression import dense, footprint
from .compression.compressed import Compressed
from .data import digits
from .lifelong.method import Method, learn
from .models.mlp import MLP
from .notebook import spread, table
from .results import best_setting, over_seeds, recorded
from .settings import SPLIT
from .tasks.scenarios import SCENARIOS
from .tasks.sequences import split

#: Student's 97.5 % quantiles, by degrees of freedom.
T975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}
#: No methods to be beaten.
BOUNDS = ("fine-tuning", "joint training", "separate networks")


@dataclass(frozen=True)
class Comparison:
    """rows: from the name of a row to its facts, each (seeds,): accuracy as a share, and what else was measured.

    own: the name of your row. beside: that of the row that it is compared with.
    """

    rows: dict
    own: str
    beside: str

    @property
    def differences(self):
        """How much more accurate yours is than the other, for each seed: (seeds,), in points of per cent."""
        pair = self.rows[self.own]["accuracy"], self.rows[self.beside]["accuracy"]
        return 100 * (pair[0] - pair[1])

    @property
    def beyond(self) -> bool:
        """Whether the mean difference is beyond the spread; never with a single seed."""
        d = self.differences
        return len(d) > 1 and abs(d.mean()) > T975[len(d) - 1] * standard_error(d)

    def __str__(self):
        d = self.differences
        words = f"{self.own} against {self.beside}: {d.mean():+.1f} points"
        if len(d) == 1:
            return (
                f"{words} with one seed: nobody can tell what another seed gives."
            )
        words += f", standard error {standard_error(d):.1f}, over {len(d)} seeds"
        if self.beyond:
            return f"{words}: beyond the spread."
        return f"{words}: not beyond the spread, so it may be chance."

    def show(self):
        """Display all rows as a table, the most accurate first, and the sentence."""
        other = [key for key in self.rows[self.own] if key != "accuracy"]
        order = sorted(
            self.rows, key=lambda r: self.rows[r]["accuracy"].mean(), reverse=True
        )
        lines = []
        for name in order:
            facts = self.rows[name]
            rest = [
                f"{facts[key].mean():,.0f}" if key in facts else "" for key in other
            ]
            lines.append([name, spread(facts["accuracy"]), *rest])
        table(["", "accuracy (%)", *other], lines, caption=str(self))


def method(
    own, *, scenario="class", name="yours", beside=None, seeds=None, on="test"
) -> Comparison:
    """Your life-long learning method in the table of chapter 09: five pairs of digits, one after another.

    own: a `Method`, of which every seed gets a copy, or a function from a seed to one. scenario: "task", "domain" or
    "class". name: of your row. beside: the recorded row to compare with; if not given, the method that was best on the
    validation images. seeds: some of the recorded ones, all if not given. on: "test" or "validation".

    The other rows have the setting that was best on the validation images. Raises ValueError for a scenario that the
    method does not support, and for rows and seeds that are not recorded.
    """
    checks.one_of("scenario", scenario, SCENARIOS)
    checks.one_of("on", on, ("test", "validation"))
    record, fact = recorded("scenarios"), "accuracy" if on == "test" else on
    chosen = chosen_seeds(record, seeds)
    options = {
        row: best_setting(record, scenario, row)
        for row in record["runs"][0][scenario]
    }

    def of(row, fact):
        return over_seeds(record, scenario, row, options[row], fact)

    rows = {
        row: {
            "accuracy": of(row, fact)[chosen],
            "bytes kept": of(row, "storage")[chosen],
        }
        for row in options
    }
    if beside is None:
        methods = [row for row in rows if row not in BOUNDS]
        beside = max(methods, key=lambda row: of(row, "validation").mean())
    check_names(name, beside, rows)
    found = []
    for seed in (record["seeds"][k] for k in chosen):
        its = copy.deepcopy(own) if isinstance(own, Method) else own(seed)
        checks.require(
            isinstance(its, Method),
            f"own gave {type(its).__name__}; it must be a Method, or a function from a seed to one",
        )
        model = MLP(*SPLIT["sizes"], seed=seed)
        learned = learn(
            its,
            model,
            split(),
            scenario=scenario,
            seed=seed,
            on=on,
            **SPLIT["train"],
        )
        found.append(
            {"accuracy": metrics.accuracy(learned.R), "bytes kept": learned.storage}
        )
    return Comparison(rows | {name: over(found)}, name, beside)


def compression(
    own,
    network="LeNet-300-100",
    *,
    name="yours",
    beside=None,
    limit=None,
    seeds=None,
    on="test",
) -> Comparison:
    """Your way to make a network smaller, in the running table of Part II.

    own: a function from a trained network to a smaller one, or to a `Compressed`. It may train on `digits().train`;
    the recorded rows took as many epochs as the dense network had. The row says how long yours took beside training
    the dense network, in CPU time of one run. It gets a copy of the network, and must not draw on the test images.
    network: "LeNet-300-100" or "LeNet-5". beside: the recorded row to compare with; if not given, the most accurate on
    validation images of those that take no more bytes than yours, the dense network where there is none.
    limit: the bytes that yours may take; ValueError where it takes more. name, seeds, on: as for `method`.
    """
    checks.one_of("network", network, dense.TRAINING)
    checks.one_of("on", on, ("test", "validation"))
    record, fact = recorded("compress"), "accuracy" if on == "test" else on
    chosen, counted = chosen_seeds(record, seeds), ("bytes", "macs", "nonzero")
    recorded_rows = record["runs"][0][network]
    rows = {
        row: {"accuracy": over_seeds(record, network, row, fact)[chosen]}
        | {key: over_seeds(record, network, row, key)[chosen] for key in counted}
        for row in recorded_rows
    }
    check_names(name, beside or "dense", rows)
    found = []
    for seed in (record["seeds"][k] for k in chosen):
        began = time.process_time()
        model = dense.trained(network, seed)
        trained = time.process_time()
        result = own(copy.deepcopy(model))
        ratio = (time.process_time() - trained) / (trained - began)
        found.append(
            facts(result, on, counted) | {"time (% of dense)": 100 * ratio}
        )
    mine = over(found)
    checks.require(
        limit is None or mine["bytes"].max() <= limit,
        f"{name} takes {mine['bytes'].max():,.0f} bytes, and the limit is {limit}: fewer weights, units or bits",
    )
    if beside is None:
        within = [
            r for r in rows if rows[r]["bytes"].mean() <= mine["bytes"].mean()
        ]
        beside = max(
            within or ["dense"],
            key=lambda r: over_seeds(record, network, r, "validation").mean(),
        )
    return Comparison(rows | {name: mine}, name, beside)


def facts(result, on, counted) -> dict:
    checks.require(
        isinstance(result, torch.nn.Module | Compressed),
        f"own gave {type(result).__name__}; it must be a network or a Compressed",
    )
    data = digits()
    model = result.restore() if isinstance(result, Compressed) else result
    sizes = footprint.size(model, data.train.x)
    if isinstance(result, Compressed):
        sizes["bytes"] = result.bytes
    accuracy = training.evaluate(model, getattr(data, on))
    return {"accuracy": accuracy} | {key: sizes[key] for key in counted}


def over(found) -> dict:
    """Facts of every seed as one tensor a fact."""
    return {
        key: torch.tensor([facts[key] for facts in found], dtype=torch.float64)
        for key in found[0]
    }


def standard_error(differences):
    return differences.std() / math.sqrt(len(differences))


def chosen_seeds(record, seeds) -> list:
    """Where these seeds stand in the record; ValueError for one that is not there."""
    there = record["seeds"]
    seeds = there if seeds is None else list(seeds)
    checks.require(
        len(seeds) > 0
        and len(set(seeds)) == len(seeds)
        and set(seeds) <= set(there),
        f"seeds is {seeds}; it must be some of the recorded ones, {there}",
    )
    return [there.index(seed) for seed in seeds]


def check_names(name, beside, rows):
    checks.one_of("beside", beside, rows)
    checks.require(
        name not in rows, f"name is {name!r}, a recorded row: give yours another"
    )

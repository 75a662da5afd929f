"""The anchored methods in the table of Part I, each over its lambdas; all seeds are trained together."""

from lllcourse.lifelong.method import Method
from lllcourse.lifelong.seeds import learn_seeds
from lllcourse.models import MLP
from lllcourse.settings import SPLIT
from lllcourse.tasks import SCENARIOS, split

from .._anchored import ANCHORED
from ._table import SEEDS, facts, key, on_validation

__all__ = ["SEEDS", "SETTINGS", "run_seeds"]

SETTINGS = SPLIT | {
    "lams": {
        "L2": [0.001, 0.01, 0.1, 1, 10],
        "EWC": [10, 100, 1000, 1e4, 1e5, 1e6],
        "online EWC": [10, 100, 1000, 1e4, 1e5, 1e6],
        "SI": [0.1, 1, 10, 100, 1000],
        "MAS": [0.1, 1, 10, 100, 1000],
        "RWalk": [0.1, 1, 10, 100, 1000, 1e4],
        "SCP": [10, 100, 1000, 1e4, 1e5, 1e6],
    },
}


def run_seeds(seeds, sizes, train, lams) -> list[dict]:
    """For each seed {scenario: {method: {lambda: what was measured}}}."""
    tasks, results = split(), [{scenario: {} for scenario in SCENARIOS} for _ in seeds]
    for scenario in SCENARIOS:
        for name, values in lams.items():
            for result in results:
                result[scenario][name] = {}
            for lam in values:
                runs = learn_seeds(
                    lambda name=name, lam=lam: ANCHORED[name](lam),
                    lambda seed: MLP(*sizes, seed=seed),
                    lambda seed: tasks,
                    seeds,
                    scenario=scenario,
                    **train,
                )
                for result, learned in zip(results, runs, strict=True):
                    # an anchored network answers as a plain one does
                    validation = on_validation(Method(), learned.model, tasks, scenario)
                    result[scenario][name][key(lam)] = facts(learned, validation)
    return results

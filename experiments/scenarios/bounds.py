"""The bounds of the table of Part I: fine-tuning, joint training, and a network for each task."""

from lllcourse.lifelong.method import Method, learn
from lllcourse.lifelong.separate_models import separate
from lllcourse.models import MLP
from lllcourse.settings import SPLIT
from lllcourse.tasks import SCENARIOS, split

from ._table import SEEDS, facts, on_validation, table

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = SPLIT


def run(seed, sizes, train) -> dict:
    """{scenario: {method: {"": what was measured}}}."""
    tasks, result = split(), table({"fine-tuning": lambda _: Method()}, {}, seed, sizes, train)
    for scenario in SCENARIOS:
        model = MLP(*sizes, seed=seed)
        learned = learn(Method(), model, tasks, scenario=scenario, joint=True, seed=seed, **train)
        joint = facts(learned, on_validation(Method(), model, tasks, scenario))
        result[scenario]["joint training"] = {"": joint}
    alone = separate(lambda: MLP(*sizes, seed=seed), tasks, scenario="task", seed=seed, **train)
    pairs = zip(alone.model, tasks, strict=True)
    validation = [on_validation(Method(), model, [task], "task") for model, task in pairs]
    result["task"]["separate networks"] = {"": facts(alone, sum(validation) / len(tasks))}
    return result

"""The table of Part I: every method in every scenario that it supports, on the five pairs of split digits.

What chapter 09 shows of it: the setting of a method is chosen on the validation images, over all seeds, in each
scenario for itself; test images give the report. Methods that keep examples may keep the same number at the end.
"""

from lllcourse import metrics, training
from lllcourse.lifelong.method import learn
from lllcourse.models import MLP
from lllcourse.tasks import SCENARIOS, active_outputs, relabelled, split

SEEDS = (0, 1, 2, 3, 4)


def table(makers, options, seed, sizes, train, network=MLP) -> dict:
    """{scenario: {method: {option: what was measured}}}.

    makers: for each method a function that makes it from one of its options. options: for each method its values; one
    that has none is made from None, and its option is "".
    """
    tasks, result = split(), {scenario: {} for scenario in SCENARIOS}
    for name, make in makers.items():
        values = options.get(name, [None])
        for scenario in make(values[0]).scenarios:
            found = result[scenario][name] = {}
            for value in values:
                method, model = make(value), network(*sizes, seed=seed)
                learned = learn(method, model, tasks, scenario=scenario, seed=seed, **train)
                found[key(value)] = facts(learned, on_validation(method, model, tasks, scenario))
    return result


def key(value):
    return "" if value is None else f"{value:g}"


def facts(learned, validation):
    return {
        "validation": validation,
        "accuracy": metrics.accuracy(learned.R),
        "backward_transfer": metrics.backward_transfer(learned.R),
        "storage": learned.storage,
        "cpu_seconds": round(sum(learned.cpu_seconds), 2),
    }


def on_validation(method, model, tasks, scenario):
    """The accuracy at the end over the validation images of all tasks, as `learn` measures it on test images."""
    tasks, T = relabelled(tasks, scenario), len(tasks)
    outputs, accuracies = training.count_outputs(model, tasks[0].validation.x), []
    for j, task in enumerate(tasks, 1):
        method.asked = j if scenario == "task" else None
        active = active_outputs(tasks, scenario, T, j, outputs)
        part = task.validation, active
        accuracies.append(training.evaluate(model, *part, predict=method.predict))
    return sum(accuracies) / T

"""The table of Part I: every method in every scenario that it supports, on the five pairs of split digits.

What chapter 09 shows of it: the setting of a method is chosen on the validation images, over all seeds, in each
scenario for itself; test images give the report. Methods that keep examples may keep the same number at the end.
"""

from lllcourse import metrics, training
from lllcourse.lifelong.agem import AGEM
from lllcourse.lifelong.cpg import CPG
from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.gem import GEM
from lllcourse.lifelong.generative_replay import GenerativeReplay
from lllcourse.lifelong.icarl import ICaRL
from lllcourse.lifelong.l2 import L2
from lllcourse.lifelong.lwf import LwF
from lllcourse.lifelong.mas import MAS
from lllcourse.lifelong.method import Method, learn
from lllcourse.lifelong.online_ewc import OnlineEWC
from lllcourse.lifelong.packnet import PackNet
from lllcourse.lifelong.progressive import Progressive, ProgressiveMLP
from lllcourse.lifelong.replay import Replay
from lllcourse.lifelong.rwalk import RWalk
from lllcourse.lifelong.scp import SCP
from lllcourse.lifelong.separate_models import separate
from lllcourse.lifelong.si import SI
from lllcourse.models import MLP
from lllcourse.tasks import SCENARIOS, active_outputs, relabelled, split

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = {
    "sizes": [784, 100, 100, 10],
    "train": {"epochs": 5, "batch_size": 32, "lr": 0.1},
    "memory": 200,
    # the values that are tried, each as the first argument of its method (GEM's second, the margin)
    "options": {
        "L2": [0.001, 0.01, 0.1, 1, 10],
        "EWC": [10, 100, 1000, 1e4, 1e5, 1e6],
        "online EWC": [10, 100, 1000, 1e4, 1e5, 1e6],
        "SI": [0.1, 1, 10, 100, 1000],
        "MAS": [0.1, 1, 10, 100, 1000],
        "RWalk": [1, 10, 100, 1000, 1e4],
        "SCP": [10, 100, 1000, 1e4, 1e5, 1e6],
        "LwF": [0.1, 0.25, 0.5, 1, 2, 4],
        "GEM": [0, 0.5],
        "generative replay": [400, 800],
        "PackNet": [0.25, 0.5],
        "CPG": [0.25, 0.5],
    },
}
PENALTIES = {
    "L2": L2,
    "EWC": EWC,
    "online EWC": OnlineEWC,
    "SI": SI,
    "MAS": MAS,
    "RWalk": RWalk,
    "SCP": SCP,
    "LwF": LwF,
}


def makers(seed, memory, tasks):
    """For each method a function that makes it from one of its options, which is None where it has none."""
    each = memory // len(tasks)
    return PENALTIES | {
        "fine-tuning": lambda _: Method(),
        "GEM": lambda margin: GEM(each, margin, seed),
        "A-GEM": lambda _: AGEM(each, seed=seed),
        "replay": lambda _: Replay(memory, seed=seed),
        "generative replay": lambda steps: GenerativeReplay(steps, seed=seed),
        "iCaRL": lambda _: ICaRL(memory, seed=seed),
        "progressive networks": lambda _: Progressive(),
        "PackNet": lambda keep: PackNet(keep, seed=seed),
        "CPG": lambda keep: CPG(keep, 0.97, seed=seed),
    }


def run(seed, sizes, train, memory, options) -> dict:
    """{scenario: {method: {option: what was measured}}}; the option of a method that has none is ""."""
    tasks, settings = split(), train | {"seed": seed}
    result = {scenario: {} for scenario in SCENARIOS}

    def measure(scenario, method, joint=False):
        grows = isinstance(method, Progressive)
        model = (ProgressiveMLP if grows else MLP)(*sizes, seed=seed)
        how = settings | {"scenario": scenario, "joint": joint}
        learned = learn(method, model, tasks, **how)
        return facts(learned, on_validation(method, model, tasks, scenario))

    for name, make in makers(seed, memory, tasks).items():
        for scenario in make(options.get(name, [None])[0]).scenarios:
            result[scenario][name] = {
                "" if option is None else f"{option:g}": measure(scenario, make(option))
                for option in options.get(name, [None])
            }
    for scenario in SCENARIOS:
        joint = measure(scenario, Method(), joint=True)
        result[scenario]["joint training"] = {"": joint}
    alone = separate(lambda: MLP(*sizes, seed=seed), tasks, scenario="task", **settings)
    result["task"]["separate networks"] = {"": facts(alone, of_each_alone(alone, tasks))}
    return result


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


def of_each_alone(learned, tasks):
    pairs = zip(learned.model, tasks, strict=True)
    found = [on_validation(Method(), model, [task], "task") for model, task in pairs]
    return sum(found) / len(found)

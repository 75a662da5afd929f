"""What is left where classes are added: how much a network still knows, what the competition of the outputs costs, and
which part of iCaRL does the work.

What chapter 09 shows of it, beside the table of Part I. The strengths are those that validation chose for the table
where the task is told.
"""

import torch

from lllcourse import training
from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.icarl import ICaRL
from lllcourse.lifelong.lwf import LwF
from lllcourse.lifelong.method import Method, learn
from lllcourse.lifelong.replay import Replay
from lllcourse.models import MLP
from lllcourse.settings import SPLIT
from lllcourse.tasks import active_outputs, split

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = SPLIT | {
    "strengths": {"EWC": 1000, "LwF": 0.25},
    "memory": 200,
    "memories": [20, 50, 100, 200, 500],  # images in all, at the end
    "random": [50, 200],  # of these, where random exemplars are a control
}


def apart(kind):
    """The method `kind`, but every pair is trained among its own two outputs."""

    class Apart(kind):
        def loss(self, model, x, y, active):
            own = torch.zeros_like(active)
            own[y // 2 * 2] = own[y // 2 * 2 + 1] = True
            return super().loss(model, x, y, own)

    return Apart


class RandomExemplars(ICaRL):
    """iCaRL that keeps random examples of each class instead of herded ones."""

    def after_task(self, model, task, active):
        super().after_task(model, task, active)
        for c in task.classes:
            x = task.train.x[task.train.y == c]
            order = torch.randperm(len(x), generator=self.generator)
            self.exemplars[c] = x[order[: len(self.exemplars[c])]]


def by_means(method):
    """The answer by the nearest mean of what plain replay keeps; a class without an image cannot be the answer."""
    x, y, _ = method.memory.kept
    asker = ICaRL(len(x))
    asker.exemplars = {c: x[y == c] for c in y.unique().tolist()}
    return asker.predict


def run(seed, sizes, train, strengths, memory, memories, random) -> dict:
    """ "asked", "apart": {method: what `asked` tells}; "memory": {method: {images kept: what `asked` tells}}, where
    iCaRL's and replay's networks are asked in two ways each.
    """
    tasks = split()

    def trained(method, joint=False):
        model = MLP(*sizes, seed=seed)
        learned = learn(method, model, tasks, scenario="class", joint=joint, seed=seed, **train)
        return model, learned.storage

    kinds = {"EWC": EWC, "LwF": LwF}
    plain = {"fine-tuning": Method()} | {name: kinds[name](lam) for name, lam in strengths.items()}
    plain["replay"] = Replay(memory, seed=seed)
    result = {"asked": {name: asked(trained(method)[0], tasks) for name, method in plain.items()}}
    result["asked"]["joint training"] = asked(trained(Method(), joint=True)[0], tasks)
    separate = {"fine-tuning": apart(Method)()}
    separate |= {name: apart(kinds[name])(lam) for name, lam in strengths.items()}
    result["apart"] = {name: asked(trained(method)[0], tasks) for name, method in separate.items()}

    ways = "iCaRL", "iCaRL, output layer", "iCaRL, random exemplars", "replay", "replay, nearest mean"
    result["memory"] = found = {way: {} for way in ways}
    for n in memories:
        method = ICaRL(n, seed=seed)
        model, kept = trained(method)
        found["iCaRL"][str(n)] = asked(model, tasks, method.predict) | {"storage": kept}
        found["iCaRL, output layer"][str(n)] = asked(model, tasks)
        method = Replay(n, seed=seed)
        model, kept = trained(method)
        found["replay"][str(n)] = asked(model, tasks) | {"storage": kept}
        found["replay, nearest mean"][str(n)] = asked(model, tasks, by_means(method))
    for n in random:
        method = RandomExemplars(n, seed=seed)
        found["iCaRL, random exemplars"][str(n)] = asked(trained(method)[0], tasks, method.predict)
    return result


def asked(model, tasks, predict=training.predict) -> dict:
    """Accuracies at the end, over all pairs and on the first, among all ten outputs and among a pair's own two; and the
    share of all answers that lie in the last pair ("newest").
    """
    T, result = len(tasks), {}
    for name, scenario in {"all": "class", "own": "task"}.items():
        right = [
            training.evaluate(model, task.test, active_outputs(tasks, scenario, T, j, 10), predict=predict)
            for j, task in enumerate(tasks, 1)
        ]
        result |= {name: sum(right) / T, f"{name}, first": right[0]}
    every, x = active_outputs(tasks, "class", T, T, 10), torch.cat([task.test.x for task in tasks])
    with torch.no_grad():
        answers = predict(model, x, every)
    return result | {"newest": (answers >= min(tasks[-1].classes)).double().mean().item()}

"""Stored images against generated ones where classes are added: five pairs of digits, and all ten compete at the end.

What chapter 08 shows of it: {"bounds": ..., "stored": {images kept: ...}, "weighed": the same with the loss of
generative replay, "generated": {steps of the generator for each task: ...}}, each with what `facts` tells, and
"drawings": for the generator after each task, for a "fresh" one that has learned from real images alone, for as many
steps in all, and for the "real" test images, what an independent network sees in them. Nothing is chosen here, so the
validation images are not looked at.
"""

import copy
from functools import cache

import torch

from lllcourse import metrics, training
from lllcourse.data import Split, digits
from lllcourse.lifelong.generative_replay import GenerativeReplay, mixed, train_generator
from lllcourse.lifelong.memory import competing
from lllcourse.lifelong.method import Method, learn
from lllcourse.lifelong.replay import Replay
from lllcourse.models import MLP
from lllcourse.models.vae import VAE
from lllcourse.settings import SPLIT
from lllcourse.tasks import split

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = SPLIT | {
    # 639 take as many bytes as the generator and the network that labels its images, 526 as the generator alone, 2,564
    # as both, with a byte for each pixel
    "memories": [20, 50, 100, 200, 526, 639, 2564],
    "steps": [0, 400],
    "batch": 32,
    "drawn": 1000,
}


class Kept(GenerativeReplay):
    """Generative replay that keeps a copy of its generator after every task."""

    def after_task(self, model, task, active):
        super().after_task(model, task, active)
        self.past = [*getattr(self, "past", []), copy.deepcopy(self.vae)]


class Weighed(Replay):
    """Replay with the loss of generative replay: every task weighs the same, where replay gives half to the new one."""

    learned = 0

    def loss(self, model, x, y, active):
        new = Method.loss(self, model, x, y, active)
        if not self.learned:
            return new
        old_x, old_y, own = self.memory.draw(self.batch)
        old = Method.loss(self, model, old_x, old_y, competing(own, active))
        return mixed(new, old, 1 / (self.learned + 1))

    def after_task(self, model, task, active):
        super().after_task(model, task, active)
        self.learned += 1


def run(seed, sizes, train, memories, steps, batch, drawn) -> dict:
    def measure(method, joint=False):
        how = {"scenario": "class", "joint": joint, "seed": seed}
        return facts(learn(method, MLP(*sizes, seed=seed), tasks, **how, **train))

    tasks, methods = split(), {n: Kept(n, seed=seed) for n in steps}
    bounds = {"fine-tuning": measure(Method()), "joint training": measure(Method(), joint=True)}
    stored = {str(n): measure(Replay(n, batch, seed)) for n in memories}
    weighed = {str(n): measure(Weighed(n, batch, seed)) for n in memories}
    generated = {str(n): measure(method) for n, method in methods.items()}
    past = methods[steps[-1]].past
    seen = {f"after task {t}": seen_in(sample(vae, drawn)) for t, vae in enumerate(past, 1)}
    seen["fresh"] = seen_in(sample(fresh(seed, len(tasks) * steps[-1]), drawn))
    seen["real"] = seen_in(digits().test.x)
    return {"bounds": bounds, "stored": stored, "weighed": weighed, "generated": generated, "drawings": seen}


def facts(learned):
    return {
        "accuracy": metrics.accuracy(learned.R),
        "at the end": learned.R[-1].tolist(),
        "storage": learned.storage,
        "cpu_seconds": round(sum(learned.cpu_seconds), 2),
    }


def sample(vae, n):
    return vae.sample(n, torch.Generator().manual_seed(1))


def fresh(seed, steps):
    """A generator that never sees its own drawings."""
    vae = VAE(digits().train.x.shape[1], seed=seed)
    train_generator(vae, digits().train.x, steps=steps, generator=torch.Generator().manual_seed(seed))
    return vae


# --- the judge ----------------------------------------------------------------------------------------------------


def seen_in(x):
    """Of images x: the share that the judge takes for a digit, any or one of each pair."""
    model = judge()
    with torch.no_grad():
        answer = model(x).argmax(1)
    pairs = {task.name: torch.isin(answer, torch.tensor(task.classes)) for task in split()}
    parts = {"any": answer < 10} | pairs
    return {name: part.double().mean().item() for name, part in parts.items()}


@cache
def judge(seed=99):
    """A network with eleven answers: a digit, or none. The same for all seeds."""
    data = digits().train
    wrong = torch.cat([*broken(data.x, data.y, 700, seed).values()])
    both = Split(torch.cat([data.x, wrong]), torch.cat([data.y, torch.full((len(wrong),), 10)]))
    model = MLP(784, 200, 100, 11, seed=seed)
    training.train(model, both, epochs=6, optimizer="adam", lr=0.002, batch_size=64, seed=seed)
    return model


def broken(x, y, n, seed):
    """n images of each of five kinds that are almost digits and are none, (n, 784). x, y: images and labels."""
    draws = torch.Generator().manual_seed(seed)
    i, j = torch.randint(len(x), (2, 4 * n), generator=draws)
    i, j = (k[y[i] != y[j]][:n] for k in (i, j))
    one, other = (x[k].view(-1, 28, 28) for k in (i, j))
    chance = torch.rand(2, n, 28, 28, generator=draws)
    kinds = {
        "two digits blended": (one + other) / 2,
        "two halves joined": torch.cat([one[:, :, :14], other[:, :, 14:]], 2),
        "upper half below": one.roll(14, 1),
        "each pixel by chance": (chance[0] < x.mean(0).view(28, 28)).float(),
        "noise": chance[1],
    }
    return {name: images.flatten(1) for name, images in kinds.items()}

"""Deep generative replay: instead of storing old data, learn to generate it, and train on new and generated data.

    L = r * loss(new images, their labels) + (1 - r) * loss(generated images, the old network's answers),   r = 1 / t

t is the number of the task, so that every task weighs the same. After the task, the generator learns the same way:
from a share r of new images, the rest out of its own former self. What it draws badly, it will learn badly.

Shin, Lee, Kim and Kim 2017, "Continual learning with deep generative replay" (arXiv:1705.08690). The paper's generator
is a GAN; a small variational autoencoder (`VAE` in `models.py`) does for the digits.
"""

import copy

import torch

from .. import checks, training
from ..models.vae import VAE
from .lwf import frozen, weights
from .memory import competing
from .method import Method
from .recorder import nbytes


def mixed(new, old, r):
    """r * new + (1 - r) * old: two losses, weighed by the share r in [0, 1] of the new data."""
    return r * new + (1 - r) * old


def train_generator(
    vae, x, old=None, r=1.0, *, steps, batch=100, lr=1e-3, generator
):
    """Train `vae` in place on the images x, (n, ...), and on images that the VAE `old` draws.

    r: the share of x in every batch, in (0, 1], rounded to whole images, one at least. steps, lr: of Adam.
    generator: on the CPU, of all draws. Raises training.Diverged at a loss that is not finite.
    """
    new = min(batch, max(1, round(r * batch))) if old else batch
    optimizer = torch.optim.Adam(vae.parameters(), lr)
    for _ in range(steps):
        images = x[torch.randint(len(x), (new,), generator=generator).to(x.device)]
        images = images.flatten(1)
        if new < batch:
            images = torch.cat([images, old.sample(batch - new, generator)])
        optimizer.zero_grad()
        torch.clear_autocast_cache()  # of weights before their last step
        loss = vae.loss(images, generator)
        if not loss.is_meta and not loss.isfinite():
            raise training.Diverged(
                f"the generator's loss is {loss.item()}: try a smaller lr than {lr}"
            )
        loss.backward()
        optimizer.step()


class GenerativeReplay(Method):
    """Deep generative replay with a VAE that learns on through all tasks.

    steps: of the generator after every task. hidden, code: the sizes of the VAE, see `VAE`. seed: of its weights and of
    all draws. Every batch is joined by as many generated images as it has real ones. Images only: values in [0, 1].

    Not for "task": there a generated image comes without the task whose outputs could label it. Raises ValueError for
    steps below 0, and for a task whose training examples are not such images.
    """

    scenarios = ("domain", "class")

    def __init__(self, steps=400, hidden=256, code=16, seed=0):
        checks.whole("steps", steps, least=0)
        self.steps, self.sizes, self.seed = steps, (hidden, code), seed
        self.generator = checks.generator(seed)
        self.learned = 0  # how many tasks
        self.vae, self.solver, self.own = None, None, None

    def before_task(self, model, task):
        x = task.train.x
        floating = x.is_floating_point()
        if not floating or not x.is_meta and not 0 <= x.min() <= x.max() <= 1:
            raise ValueError(
                f"the training examples of {task.name!r} are not images of floats in [0, 1]; "
                "scale them so, or use a method that stores examples, such as Replay"
            )

    def loss(self, model, x, y, active):
        new = super().loss(model, x, y, active)
        if self.vae is None:
            return new
        old_x, old_y = self.generated(len(x))
        outputs = competing(self.own, active)
        old = super().loss(model, old_x, old_y, outputs)
        return mixed(new, old, 1 / (self.learned + 1))

    @torch.no_grad()
    def generated(self, n):
        """n generated images and the old network's answers: x (n, ...) in [0, 1], y int64 (n,)."""
        with training.evaluating(self.vae):
            x = self.vae.sample(n, self.generator).view(n, *self.shape)
        return x, training.predict(self.solver, x, self.own)

    def after_task(self, model, task, active):
        device, self.learned = training.device_of(model), self.learned + 1
        x, old = task.train.x.to(device), copy.deepcopy(self.vae)
        if old is None:
            self.shape = x.shape[1:]
            self.vae = VAE(x[0].numel(), *self.sizes, seed=self.seed).to(x)
        settings = {"steps": self.steps, "generator": self.generator}
        train_generator(self.vae, x, old, 1 / self.learned, **settings)
        self.solver, self.own = frozen(model), active

    def storage(self):
        """The bytes of the VAE, of the old network and of the mask of its outputs."""
        kept = [*weights(self.vae), *weights(self.solver)]
        return nbytes(*kept, *([] if self.own is None else [self.own]))

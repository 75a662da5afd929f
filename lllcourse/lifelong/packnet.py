"""PackNet: train, prune, and give the weights that were not needed to the next task.

Every weight is free or belongs to one task. A task is trained on the free weights, beside the old ones, which it uses
and does not change. Then the largest of its weights in each layer become its own, the others are set to zero and are
free again, and its own are trained once more without them. The network of task k is made of

    the weights with 1 <= owner <= k

and of nothing that came later: its outputs never change again, to the last bit.

Mallya and Lazebnik 2018, "PackNet: adding multiple tasks to a single network by iterative pruning" (arXiv:1711.05769).
As there, biases are trained by the first task, and fixed. Unlike there, the last layer is shared and packed like all
others, and weights that a task's training never moved (of a pixel that is always black, of an output that is another
task's) are no candidates: they hold nothing of the task, however large they were drawn.
"""

from functools import partial

import torch
from torch.func import functional_call
from torch.nn.utils.parametrize import is_parametrized

from .. import checks, training
from ..masks import largest
from .method import Method
from .progressive import check_order
from .recorder import nbytes

FREE = 0


def network_of(model, owner, k):
    """The weights of task k's network, by name: those that belong to tasks 1 to k, and zero for the others."""
    parameters = dict(model.named_parameters())
    return {
        name: torch.where((o > FREE) & (o <= k), parameters[name], 0)
        for name, o in owner.items()
    }


class PackNet(Method):
    """PackNet: each task owns a share `keep` of the weights that the tasks before it left free, in every layer.

    keep: above 0, at most 1 (the first task takes all that it moved). retrain_epochs: how long its own weights are
    trained once more after pruning, with the settings lr, optimizer, batch_size and seed of `training.train`.
    least: the share of a layer, in [0, 1), that a task must be able to get, and one weight at the least: with less it
    is refused. Weights that read an input from which the last task learned nothing (a dead unit) do not count as left.

    `owner`: an int8 tensor for each trainable parameter, by name: 0 is free, k is task k's. Biases, and whatever else
    has one dimension, become the first task's as a whole. A task that has not been learned yet is answered by the whole
    network as it stands.

    Raises ValueError for settings out of range, and, before the task is trained, where too few weights of a layer are
    left for it, and for a network with running statistics (batch normalisation), which later tasks would change, or
    with weights that are computed from others (weight normalisation).
    """

    # Nothing but the task says which weights to use.
    scenarios = ("task",)

    def __init__(
        self,
        keep,
        *,
        least=0.01,
        retrain_epochs=2,
        lr=0.1,
        optimizer="sgd",
        batch_size=32,
        seed=0,
    ):
        checks.require(
            0 < keep <= 1,
            f"keep is {keep}; it must be a share above 0 and at most 1",
        )
        checks.require(
            0 <= least < 1,
            f"least is {least}; it must be a share from 0 on and below 1",
        )
        checks.one_of("optimizer", optimizer, training.OPTIMIZERS)
        checks.schedule(retrain_epochs, batch_size, lr)
        checks.whole("seed", seed)
        self.keep, self.learned, self.owner = keep, 0, {}
        self.least, self.stuck = least, {}
        self.moving, self.held = {}, {}
        self.retraining = {
            "epochs": retrain_epochs,
            "lr": lr,
            "optimizer": optimizer,
            "batch_size": batch_size,
        }
        self.seed = seed

    def before_task(self, model, task):
        check_order(self)
        if self.asked > torch.iinfo(torch.int8).max:
            raise ValueError(
                f"task {self.asked} ({task.name!r}): an owner is an int8 number, so 127 tasks are the most"
            )
        checks.no_running_statistics(
            model, "which later tasks would change; use one without them"
        )
        checks.require(
            not any(map(is_parametrized, model.modules())),
            "PackNet sets weights to zero, but those of this network are computed from others (weight norm, say)",
        )
        if not self.owner:
            self.owner = {
                name: torch.zeros_like(p, dtype=torch.int8)
                for name, p in self.parameters(model).items()
            }
        self.make_room(model, task)
        self.train_only(model, FREE)

    def make_room(self, model, task):
        """See that every layer has weights left for the task."""
        for name, left in self.exhausted():
            raise ValueError(
                f"task {self.asked} ({task.name!r}): {name} has {left} of {self.owner[name].numel()} weights left, and "
                f"keep={self.keep} of them is too few (least={self.least}); take a larger network or a smaller keep"
            )

    def exhausted(self):
        """The layers of which a task would get too little: a list of (name, how many weights are left)."""
        layers = []
        for name, owner in self.owner.items():
            if owner.ndim > 1 and not owner.is_meta:
                left = int((owner == FREE).sum() - self.stuck.get(name, 0))
                if round(self.keep * left) < max(1, self.least * owner.numel()):
                    layers.append((name, left))
        return layers

    def train_only(self, model, owner):
        """From here on, training moves the weights of this owner and holds all others where they are."""
        self.moving = {name: o == owner for name, o in self.owner.items()}
        self.held = {
            n: p.detach().clone() for n, p in self.parameters(model).items()
        }

    def after_gradient(self, model):
        for name, p in self.parameters(model).items():
            if p.grad is not None:
                p.grad *= self.moving[name]

    def after_step(self, model):
        # Zero gradients do not stop every optimiser (weight decay); putting back
        # does.
        for name, p in self.parameters(model).items():
            p.copy_(torch.where(self.moving[name], p, self.held[name]))

    def after_task(self, model, task, active):
        self.learned += 1
        self.prune(model)
        self.train_only(model, self.learned)
        self.train_again(model, task, active)
        self.moving, self.held = {}, {}

    def train_again(self, model, task, active):
        training.train(
            model,
            task.train,
            active=active,
            seed=1000 * self.seed + self.asked,
            loss=self.loss,
            after_gradient=self.after_gradient,
            after_step=self.after_step,
            **self.retraining,
        )

    @torch.no_grad()
    def prune(self, model):
        """Make the largest of the weights that this task moved its own, and set to zero what is free again."""
        for name, p in self.parameters(model).items():
            owner = self.owner[name]
            if p.ndim < 2:
                owner[owner == FREE] = self.learned
                continue
            moved = (owner == FREE) & (p != self.held[name])
            owner[largest(p, moved, self.keep)] = self.learned
            p[owner == FREE] = 0
            silent = ~moved.any(0, keepdim=True)
            self.stuck[name] = ((owner == FREE) & silent).sum()

    def predict(self, model, x, active):
        if self.asked <= self.learned:
            weights = network_of(model, self.owner, self.asked)
            model = partial(functional_call, model, weights)
        return super().predict(model, x, active)

    def parameters(self, model):
        return {n: p for n, p in model.named_parameters() if p.requires_grad}

    def storage(self):
        """The bytes of the owners: one a parameter, however many tasks there were."""
        return nbytes(*self.owner.values())

"""Compacting, picking and growing: PackNet that chooses among the old weights, and widens the network when it must.

*Picking*: a new task uses only those old weights that a binary mask leaves on. The mask is learned: each old weight
has a score s, the weight is on where s > 0, and the gradient passes the step as if it were the identity,

    w = w_old * [s > 0],      dL/ds := dL/d[s > 0] = dL/dw * w_old

*Growing*: while the accuracy on the validation images stays below a target, every hidden layer gets more units, whose
outgoing weights are zero at first, so that they change nothing yet. *Compacting* is PackNet's pruning and retraining.

Hung et al. 2019, "Compacting, picking and growing for unforgetting continual learning" (arXiv:1910.06562). Simplified:
the share that is kept is a setting, where the authors prune in small steps for as long as the accuracy allows; and a
weight is off where s <= 0, not .005, half of where all scores start.
"""

from functools import partial

import torch
from torch import nn
from torch.func import functional_call

from .. import checks, training
from ..masks import straight_through
from ..models.mlp import MLP
from .packnet import FREE, PackNet
from .recorder import nbytes

PICKS = ("learned", "all", "none")


def picked_network(model, owner, k, picks, shapes):
    """The weights of task k's network, by name: its own, and the old ones that it picked, in the shapes of its time."""
    parameters, weights = dict(model.named_parameters()), {}
    for name, shape in shapes.items():
        p, o = (cut(t, shape) for t in (parameters[name], owner[name]))
        old = (o > FREE) & (o < k) & picks.get(name, True)
        weights[name] = torch.where((o == k) | old, p, 0)
    return weights


def cut(tensor, shape):
    """The first corner of a tensor, of this shape."""
    return tensor[tuple(slice(n) for n in shape)]


@torch.no_grad()
def in_corner(small, large):
    """`large` with `small` in its first corner."""
    cut(large, small.shape).copy_(small)
    return large


def widen(layer, rows, columns, generator):
    """Give a linear layer so many more outputs and inputs, in place; to old outputs, new inputs do not matter yet."""
    outputs, inputs = layer.weight.shape
    weight = torch.zeros(outputs + rows, inputs + columns)
    bound = (inputs + columns) ** -0.5
    weight[outputs:].uniform_(-bound, bound, generator=generator)  # as at the start
    bias = torch.zeros(outputs + rows)
    layer.weight = nn.Parameter(in_corner(layer.weight, weight.to(layer.weight)))
    layer.bias = nn.Parameter(in_corner(layer.bias, bias.to(layer.bias)))
    layer.out_features, layer.in_features = weight.shape


class CPG(PackNet):
    """Compacting, picking and growing, for an `MLP` with hidden layers, which it widens in place.

    keep, retrain_epochs, lr, optimizer, batch_size, seed: as for `PackNet`; the training after growing uses them too.
    target: the accuracy on the validation split below which it grows, in [0, 1]; 0 never grows.
    grow: how many units each hidden layer gets at a time. most: how often at most for a task; then it goes on as it is.
    pick: "learned", or for comparison "all" old weights or "none". pick_lr: the step size of the scores (Adam's).

    `picks[k - 1]`: the masks of task k, by name (none for task 1, which has nothing to pick from). `shapes[k - 1]`: of
    its network's parameters: later, wider layers are cut to them, so that its outputs stay as they were to the bit.

    Where a layer has no weights left for a task, it grows too, instead of refusing the task as PackNet does.
    Raises ValueError for settings out of range, another network, and a task without validation images.
    """

    def __init__(
        self,
        keep,
        target,
        *,
        grow=10,
        most=5,
        pick="learned",
        pick_lr=5e-4,
        retrain_epochs=2,
        lr=0.1,
        optimizer="sgd",
        batch_size=32,
        seed=0,
    ):
        how = {"lr": lr, "optimizer": optimizer, "batch_size": batch_size}
        super().__init__(keep, retrain_epochs=retrain_epochs, seed=seed, **how)
        if not 0 <= target <= 1:
            raise ValueError(
                f"target is {target}; it must be an accuracy from 0 to 1"
            )
        if grow < 1 or most < 0 or not pick_lr > 0:
            raise ValueError(
                f"grow={grow}, most={most}, pick_lr={pick_lr}: need grow >= 1, most >= 0, pick_lr > 0"
            )
        if pick not in PICKS:
            raise ValueError(
                f"pick is {pick!r}; it must be one of {', '.join(map(repr, PICKS))}"
            )
        self.target, self.grow, self.most = target, grow, most
        self.pick, self.pick_lr = pick, pick_lr
        self.picks, self.shapes, self.scores = [], [], {}
        # Not the network's own stream: grown units would start as copies of its
        # first ones.
        self.generator = checks.generator(10**6 + seed)

    def before_task(self, model, task):
        trained = all(p.requires_grad for p in model.parameters())
        if not isinstance(model, MLP) or len(model.layers) < 2 or not trained:
            raise ValueError(
                "CPG widens the hidden layers of an MLP whose layers are all trained; give it MLP(784, 20, 10), say"
            )
        if len(task.validation) == 0:
            raise ValueError(
                f"task {self.asked} ({task.name!r}) has no validation images, which tell CPG when to grow"
            )
        super().before_task(model, task)
        if self.learned:
            start = -0.01 if self.pick == "none" else 0.01
            self.score(model, {}, start)

    def score(self, model, old, start=0.0):
        """Learn scores from here on: those that are there already, and `start` for the other weights."""
        self.scores = {
            name: in_corner(old.get(name, p[:0, :0]), torch.full_like(p, start))
            for name, p in self.parameters(model).items()
            if p.ndim > 1
        }
        for s in self.scores.values():
            s.requires_grad_()
        self.picker = torch.optim.Adam(self.scores.values(), self.pick_lr)

    def make_room(self, model, task):
        while self.exhausted():
            self.widen(model)

    def widen(self, model):
        """Give every hidden layer `grow` more units, free ones; what was computed stays as it was."""
        last = len(model.layers) - 1
        for i, layer in enumerate(model.layers):
            more = self.grow * (i < last), self.grow * (i > 0)
            widen(layer, *more, self.generator)
        for name, p in self.parameters(model).items():
            free = torch.zeros_like(p, dtype=torch.int8)
            self.owner[name] = in_corner(self.owner[name], free)
            if self.held:  # in the middle of a task
                self.held[name] = in_corner(self.held[name], p.detach().clone())
                self.moving[name] = self.owner[name] == FREE
        if self.scores:
            self.score(model, self.scores)

    def masks(self):
        """Of the task that is trained or asked: [s > 0] of the scores, or the picks that they became."""
        if self.scores:
            return {name: straight_through(s) for name, s in self.scores.items()}
        return self.picks[self.asked - 1] if self.asked <= len(self.picks) else {}

    def old(self, name):
        return (self.owner[name] > FREE) & (self.owner[name] < self.asked)

    def current(self, model):
        """The weights of the task that is trained, by name: old ones only where they are on."""
        weights = dict(model.named_parameters())
        for name, on in self.masks().items():
            p = weights[name]
            weights[name] = torch.where(self.old(name), p.detach() * on, p)
        return weights

    def loss(self, model, x, y, active):
        network = partial(functional_call, model, self.current(model))
        return super().loss(network, x, y, active)

    def after_gradient(self, model):
        super().after_gradient(model)
        if self.scores and self.pick == "learned":
            self.picker.step()
            self.picker.zero_grad()

    def after_task(self, model, task, active):
        for _ in range(self.most):
            part = task.validation, active
            if training.evaluate(model, *part, predict=self.predict) >= self.target:
                break
            self.widen(model)
            self.train_again(model, task, active)
        self.picks.append(
            {n: (s > 0) & self.old(n) for n, s in self.scores.items()}
        )
        self.shapes.append({n: p.shape for n, p in model.named_parameters()})
        self.scores = {}
        super().after_task(model, task, active)

    def predict(self, model, x, active):
        if self.asked <= self.learned:
            weights = self.network_of(model, self.asked)
        else:
            weights = self.current(model)
        network = partial(functional_call, model, weights)
        return training.predict(network, x, active)

    def network_of(self, model, k):
        """The weights of the network of task k, which has been learned."""
        return picked_network(
            model, self.owner, k, self.picks[k - 1], self.shapes[k - 1]
        )

    def storage(self):
        """The bytes of the owners and of every task's picks, a byte a weight each."""
        return super().storage() + nbytes(
            *(p for own in self.picks for p in own.values())
        )

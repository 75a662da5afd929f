"""Synaptic intelligence: a weight matters if moving it has lowered the loss.

    omega_i = - sum over steps of g_i * (change of theta_i),      b_i = max(omega_i, 0) / (Delta_i^2 + damping)

g is the gradient of the loss, so with small steps on the whole data omega_i is the part of the fall of the loss that is
owed to weight i. Divided by the square of the whole way Delta_i that the weight went during the task, it has the unit
of a curvature. It is measured while training, at no extra pass over the data.

With mini-batches, here as in the paper, g is the gradient of a batch's loss. After plain SGD steps on a first task
omega_i is then the step size times the sum of g_i^2: never negative, and it counts how much batches disagree. All
omega_i together are 60 times the true fall of the loss on the course's first task.

Zenke, Poole and Ganguli 2017, "Continual learning through synaptic intelligence" (arXiv:1703.04200).
"""

import torch

from .. import checks
from .anchored import Anchored


def importance(omega, way, damping):
    """The importance: max(omega, 0) / (way^2 + damping), a list with a tensor for each parameter.

    omega: what each weight contributed to the fall of the loss. way: how far it went in the task. Two lists of tensors.
    damping: keeps the importance of a weight that hardly moved from exploding; in the unit of a squared weight.
    """
    return [
        w.clamp(min=0) / (d**2 + damping) for w, d in zip(omega, way, strict=True)
    ]


def follow(parameters, here, omega):
    """After a step: add each weight's part in the fall of the loss, -g * (theta - here), to omega; set here to theta.

    parameters: with the gradient of the loss in `.grad`. here: where they were before the step. Lists of tensors.
    """
    for theta, before, w in zip(parameters, here, omega, strict=True):
        if theta.grad is not None:  # a weight that the loss does not use
            w.addcmul_(theta.grad, before - theta)
        # a copy of its own: an alias would make every step zero
        before.copy_(theta)


class SI(Anchored):
    """Synaptic intelligence: the importances of all tasks added up, around the newest weights.

    lam: the strength, from 0 (fine-tuning) to infinity (what has importance is frozen). damping: see `importance`.
    Raises ValueError for a lam or a damping out of range.
    """

    def __init__(self, lam, *, damping=1e-3):
        super().__init__(lam)
        checks.require(
            damping > 0, f"damping is {damping}; it must be a number above 0"
        )
        self.damping = damping

    def before_task(self, model, task):
        super().before_task(model, task)
        self.start = [theta.detach().clone() for theta in model.parameters()]
        self.here = [theta.clone() for theta in self.start]
        self.omega = [torch.zeros_like(theta) for theta in self.start]

    def after_step(self, model):
        super().after_step(model)
        # `.grad` is still the gradient of the task's loss alone; the step holds the
        # pull towards the old anchors too.
        follow(model.parameters(), self.here, self.omega)

    def measure(self, model, task, active):
        way = [
            here - start for here, start in zip(self.here, self.start, strict=True)
        ]
        return importance(self.omega, way, self.damping)

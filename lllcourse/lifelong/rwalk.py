"""Riemannian walk: the Fisher information and the path of training together.

    b_i = F_i / max F + s_i / max s
    s_i = sum over stretches of the path of  max(fall_i, 0) / (F_i Delta_i^2 / 2 + damping)

fall_i = - sum of g_i * (change of theta_i) is the part of the fall of the loss that is owed to weight i, as in synaptic
intelligence; F_i Delta_i^2 / 2 is how much moving it has changed what the network says (a distance between its answers
before and after). So a weight has a high score s_i if it lowered the loss much and changed the answers little. F is a
moving average over the batches of training, so no pass over the data is needed.

Chaudhry et al. 2018, "Riemannian walk for incremental learning" (arXiv:1801.10112).
"""

import torch

from .. import checks
from .anchored import Anchored
from .ewc import importance
from .recorder import nbytes
from .si import follow


def score(fall, fisher, way, damping):
    """max(fall, 0) / (fisher * way^2 / 2 + damping) for one stretch of the path: a list with a tensor a parameter.

    fall: of the loss, owed to each weight. fisher: the Fisher diagonal there. way: how far each weight went. Lists of
    tensors. damping: keeps weights that hardly moved from scoring; in the unit of the loss.
    """
    return [
        f.clamp(min=0) / (0.5 * F * d**2 + damping)
        for f, F, d in zip(fall, fisher, way, strict=True)
    ]


def scaled(tensors):
    """The tensors divided by the largest of all their entries, so that they lie in [0, 1]; zeros stay zeros."""
    largest = torch.stack([t.max() for t in tensors]).max()
    return [torch.where(largest > 0, t / largest, 0.0) for t in tensors]


class RWalk(Anchored):
    """Riemannian walk around the newest weights.

    lam: the strength, from 0 (fine-tuning) to infinity (what has importance is frozen).
    every: the length of a stretch, in steps; the Fisher diagonal is measured on the batch at its end.
    rate: the share of the newest batch in the moving average of the Fisher diagonal, which the first batch starts; the
    default is that of its authors' code. damping: see `score`. Theirs is 1e-3, against an F * way^2 / 2 of 3e-4 at the
    most on the course's tasks, so that the score would be the fall alone. Of 1e-3, 1e-5, 1e-7 and 1e-9, which do alike
    on validation images, the default is the largest with which the division is felt (correlation with the fall: .83).
    Raises ValueError for a setting out of range.
    """

    def __init__(self, lam, *, every=20, rate=0.9, damping=1e-7):
        super().__init__(lam)
        checks.require(
            every >= 1 and 0 < rate <= 1 and damping > 0,
            f"every={every}, rate={rate}, damping={damping}: need every >= 1, 0 < rate <= 1, damping > 0",
        )
        self.every, self.rate, self.damping = every, rate, damping
        self.fisher, self.past_score = [], []

    def before_task(self, model, task):
        super().before_task(model, task)
        self.steps = 0
        self.here = [theta.detach().clone() for theta in model.parameters()]
        self.corner = [
            theta.clone() for theta in self.here
        ]  # where the stretch began
        self.fall = [torch.zeros_like(theta) for theta in self.here]
        self.score = [torch.zeros_like(theta) for theta in self.here]

    def loss(self, model, x, y, active):
        self.batch = x, y, active
        return super().loss(model, x, y, active)

    def after_step(self, model):
        super().after_step(model)
        follow(model.parameters(), self.here, self.fall)
        self.steps += 1
        if self.steps % self.every == 0:
            self.end_stretch(model)

    def end_stretch(self, model):
        x, y, active = self.batch
        now = importance(model, x, y, active, labels="true")
        self.fisher = self.fisher or now  # the first batch starts the average
        for F, new in zip(self.fisher, now, strict=True):
            F.lerp_(new, self.rate)
        way = [here - c for here, c in zip(self.here, self.corner, strict=True)]
        gained = score(self.fall, self.fisher, way, self.damping)
        for s, corner, here, fall, gain in zip(
            self.score, self.corner, self.here, self.fall, gained, strict=True
        ):
            s += gain
            corner.copy_(here)
            fall.zero_()

    def measure(self, model, task, active):
        if self.steps % self.every:
            self.end_stretch(model)
        self.batch = None
        # without a single step there is no batch to measure it on
        self.fisher = self.fisher or [torch.zeros_like(s) for s in self.score]
        past = self.past_score or self.score
        self.past_score = [
            (old + s) / 2 for old, s in zip(past, self.score, strict=True)
        ]
        both = zip(scaled(self.fisher), scaled(self.past_score), strict=True)
        return [F + s for F, s in both]

    def fold(self, new, theta):
        return new, theta  # the averages in `measure` already hold the past

    def storage(self):
        return super().storage() + nbytes(*self.fisher, *self.past_score)

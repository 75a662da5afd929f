"""Elastic weight consolidation: every weight is tied to its old value by a spring as strong as it was important.

    L'(theta) = L(theta) + lambda * sum_i b_i (theta_i - theta_i^b)^2

theta^b, the anchor, are the weights after the old task; the guard b_i is the diagonal of the Fisher information there,
the mean over the data of the squared gradient of each single example's log-likelihood.

Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks" (arXiv:1612.00796). The lecture's
formula has no factor 1/2, the paper's has.
"""

import math

import torch

from ..losses import only_active
from ..per_sample import summed_gradients
from ..training import device_of
from .anchored import penalty, pull, pull_weight  # noqa: F401
from .method import Method, nbytes


def importance(
    model, x, y=None, active=None, *, labels="expected", seed=0, batch_size=500
):
    """The diagonal of the Fisher information: a tensor for each parameter, its mean squared per-example gradient.

    x: (n, ...), the examples. active: boolean mask (outputs,), those that take part; None means all.
    labels: whose log-likelihood log p(label | x) is differentiated: "expected" takes the exact mean over the model's
    own p(k | x), a backward pass for each active output; "sampled" draws one label an example from it (from `seed`);
    "true" takes y, int64 (n,), which gives the "empirical" Fisher.

    Raises ValueError for an unknown kind of labels, no data, or "true" labels that are not there.
    """
    if labels not in ("expected", "sampled", "true"):
        raise ValueError(
            f"labels is {labels!r}; it must be 'expected', 'sampled' or 'true'"
        )
    if len(x) == 0 or (labels == "true" and y is None):
        raise ValueError(
            "importance needs data: x must not be empty, and labels='true' needs y"
        )
    device, generator = device_of(model), torch.Generator().manual_seed(seed)
    x, y = x.to(device), None if y is None else y.to(device)
    outputs = range(model(x[:1]).shape[1])
    if active is not None:
        outputs, active = active.nonzero().flatten().tolist(), active.to(device)
    total = [torch.zeros_like(p) for p in model.parameters()]

    for start in range(0, len(x), batch_size):
        batch = slice(start, start + batch_size)

        def cotangents(logits, batch=batch):
            # d log p_k / d logits = e_k - p; a weight p_k on its square is sqrt(p_k) on itself.
            p = only_active(logits, active).softmax(1)
            one_hot = torch.eye(p.shape[1], device=p.device)
            if labels == "expected":
                return [p[:, k, None].sqrt() * (one_hot[k] - p) for k in outputs]
            # p divided by exponential noise is largest at k with probability p_k: a draw that works on any device
            noise = torch.empty(p.shape).exponential_(generator=generator).to(device)
            drawn = y[batch] if labels == "true" else (p / noise).argmax(1)
            return [one_hot[drawn] - p]

        for b, squares in zip(
            total, summed_gradients(model, x[batch], cotangents), strict=True
        ):
            b += squares / len(x)
    return total


class EWC(Method):
    """Elastic weight consolidation with the exact sum of the penalties of all past tasks.

    lam: the strength of the springs, from 0 (fine-tuning) to infinity (what has importance is frozen).
    labels, seed: see `importance`.

    A sum of parabolas is a parabola: sum_t b_t (theta - a_t)^2 = B (theta - A)^2 + constant, with B = sum_t b_t and A
    the mean of the anchors weighted by b_t. So two tensors a parameter suffice, however many tasks there were.
    """

    # The pull is a step of plain gradient descent; Adam rescales its steps.
    optimizers = ("sgd", "momentum")

    def __init__(self, lam, *, labels="expected", seed=0):
        if math.isnan(lam) or lam < 0:
            raise ValueError(
                f"lam is {lam}; it must be a number from 0 (fine-tuning) to infinity (frozen)"
            )
        self.lam, self.labels, self.seed = lam, labels, seed
        self.importance, self.anchor = [], []  # B and A

    def before_task(self, model, task):
        self.weight = pull_weight(self.importance, self.lam, self.step_size)

    def after_step(self, model):
        if self.anchor:
            pull(model.parameters(), self.anchor, self.weight)

    def after_task(self, model, task, active):
        new = self.measure(model, task, active)
        theta = [p.detach().clone() for p in model.parameters()]
        if self.anchor:
            self.fold(new, theta)
        else:
            self.importance, self.anchor = new, theta

    def fold(self, new, parameters):
        """Add the guards of a further task, measured at `parameters`, to those that are kept."""
        for B, A, b, theta in zip(
            self.importance, self.anchor, new, parameters, strict=True
        ):
            B += b
            share = torch.where(B > 0, b / B, 0.0)
            # lerp is exact where the share is 1; A + share * (theta - A) is not
            A.lerp_(theta, share)

    def measure(self, model, task, active):
        """The guards b of the task that has just been learned, a tensor for each parameter."""
        x, y = task.train.x, task.train.y
        return importance(model, x, y, active, labels=self.labels, seed=self.seed)

    def storage(self):
        return nbytes(*self.importance, *self.anchor)

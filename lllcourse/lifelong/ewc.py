"""Elastic weight consolidation: every weight is tied to its old value, the more tightly the more important it was.

    L'(theta) = L(theta) + lambda * sum_i b_i (theta_i - theta_i^b)^2

theta^b, the anchor, are the weights after the old task; the importance b_i is the diagonal of the Fisher information
there, the mean over the data of the squared gradient of each single example's log-likelihood. The penalty is `penalty`
in `anchored.py`, applied by `pull` after every step; what is EWC's own is how importance is measured, and that the
penalties of several tasks are added up exactly.

Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks" (arXiv:1612.00796). The lecture's
formula has no factor 1/2, the paper's has.
"""

import torch

from .. import checks
from ..losses import only_active
from ..per_sample import summed_gradients
from ..training import count_outputs, device_of
from .anchored import Anchored, fold, penalty

__all__ = ["EWC", "importance", "penalty"]

LABELS = ("expected", "sampled", "true")


def importance(
    model, x, y=None, active=None, *, labels="expected", seed=0, batch_size=500
):
    """The diagonal of the Fisher information: a tensor for each parameter, its mean squared per-example gradient.

    x: (n, ...), the examples. active: boolean mask (outputs,) or, one for each example, (n, outputs): the outputs that
    take part; None means all.
    labels: whose log-likelihood log p(label | x) is differentiated: "expected" takes the exact mean over the model's
    own p(k | x), a backward pass for each active output; "sampled" draws one label an example from it (from `seed`);
    "true" takes y, int64 (n,), which gives the "empirical" Fisher.

    Raises ValueError for an unknown kind of labels, no data, or "true" labels that are not there.
    """
    check_data(x, y, labels)
    device, generator = device_of(model), checks.generator(seed)
    outputs = count_outputs(model, x)
    if active is None:
        active = torch.ones(outputs, dtype=torch.bool)
    own = active.ndim == 2
    taking_part = (active.any(0) if own else active).nonzero().flatten().tolist()
    x, active = x.to(device), active.to(device)
    y = None if y is None else y.to(device)
    total = [torch.zeros_like(p) for p in model.parameters()]

    for batch in torch.arange(len(x), device=device).split(batch_size):
        mask = active[batch] if own else active

        def cotangents(logits, batch=batch, mask=mask):
            # d log p_k / d logits = e_k - p; a weight p_k on its square is
            # sqrt(p_k) on itself.
            p = only_active(logits, mask).softmax(1)
            one_hot = torch.eye(outputs, device=device, dtype=p.dtype)
            if labels == "expected":
                return [
                    p[:, k, None].sqrt() * (one_hot[k] - p) for k in taking_part
                ]
            # p divided by exponential noise is largest at k with probability p_k: a
            # draw that works on any device
            noise = (
                torch.empty(p.shape).exponential_(generator=generator).to(device)
            )
            drawn = y[batch] if labels == "true" else (p / noise).argmax(1)
            return [one_hot[drawn] - p]

        for b, squares in zip(
            total, summed_gradients(model, x[batch], cotangents), strict=True
        ):
            b += squares / len(x)
    return total


def check_data(x, y, labels):
    """Raise ValueError for an unknown kind of labels, and where there is no data for it."""
    checks.one_of("labels", labels, LABELS)
    checks.require(
        len(x) and (labels != "true" or y is not None),
        "importance needs data: x must not be empty, and labels='true' needs y",
    )


class EWC(Anchored):
    """Elastic weight consolidation with the exact sum of the penalties of all past tasks.

    lam: the strength, from 0 (fine-tuning) to infinity (what has importance is frozen).
    labels, seed: see `importance`.
    """

    def __init__(self, lam, *, labels="expected", seed=0):
        super().__init__(lam)
        self.labels, self.seed = labels, seed

    def measure(self, model, task, active):
        x, y = task.train.x, task.train.y
        return importance(model, x, y, active, labels=self.labels, seed=self.seed)

    def fold(self, new, theta):
        return fold(self.importance, self.anchor, new, theta)

"""The plain L2 anchor: EWC with the same importance b_i = 1 for every weight.

It is the comparison of Kirkpatrick et al. 2017 (arXiv:1612.00796): without a measure of importance the network can
only be held back everywhere alike, and what protects the old task keeps the new one out.
"""

import torch

from .anchored import Anchored, fold


class L2(Anchored):
    """lambda * sum over past tasks t of |theta - theta_t|^2. lam: from 0 (fine-tuning) to infinity (all frozen)."""

    def measure(self, model, task, active):
        return [torch.ones_like(theta) for theta in model.parameters()]

    def fold(self, new, theta):
        return fold(self.importance, self.anchor, new, theta)

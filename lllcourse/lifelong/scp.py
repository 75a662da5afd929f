"""Sliced Cramér preservation: keep the distribution of what the network says, not the answer to each single example.

    b_i = E over unit vectors xi of ( d (xi . mean_x f(x)) / d theta_i )^2

A slice is the projection of the outputs on a random direction xi. Two distributions whose slices all agree are equal,
and to first order a weight shifts a slice by the derivative of its mean. Since E[xi xi^T] = 1/K for K outputs, the
expectation is exact: 1/K of the sum over the outputs k of (d mean_x f_k(x) / d theta_i)^2, K backward passes. Here, and
only here, the mean comes before the square: gradients of different examples may cancel, because only the distribution
as a whole is to be kept. To first order that is its mean: what spreads the outputs around it goes unnoticed.

Kolouri et al. 2020, "Sliced Cramer synaptic consolidation for preserving deeply learned representations" (ICLR 2020).
"""

import torch
from torch.func import functional_call

from .. import checks
from ..training import device_of, evaluating
from .anchored import Anchored


def importance(model, x, active=None, *, slices=None, examples=2000, seed=0):
    """The mean over slices of the squared gradient of the slice's mean: a list with a tensor for each parameter.

    x: (n, ...). active: boolean mask (outputs,), those that are sliced; None means all.
    slices: how many random directions are drawn, from `seed`; None takes the exact expectation.
    examples: at most so many of x, drawn from `seed`, stand for the distribution. A mean needs no more, and every slice
    costs a full product of matrices.
    Raises ValueError where there is no data, or slices or examples is not a positive number.
    """
    checks.require(len(x), "importance needs data: x must not be empty")
    checks.require(
        examples >= 1 and (slices is None or slices >= 1),
        f"examples={examples}, slices={slices}: take 1 or more of each (slices=None: the exact expectation)",
    )
    device, generator = device_of(model), checks.generator(seed)
    if len(x) > examples:
        x = x[torch.randperm(len(x), generator=generator)[:examples].to(x.device)]
    theta = {
        name: p.detach().requires_grad_() for name, p in model.named_parameters()
    }
    with torch.enable_grad(), evaluating(model):
        mean = functional_call(model, theta, (x.to(device),)).mean(0)
    if active is not None:
        mean = mean[active.nonzero().flatten().to(device)]
    K = len(mean)
    directions = torch.eye(K) * (1 / K) ** 0.5  # their squares sum to E[xi xi^T]
    if slices is not None:
        directions = torch.randn(slices, K, generator=generator)
        directions /= directions.norm(dim=1, keepdim=True) * slices**0.5
    total = [torch.zeros_like(p) for p in theta.values()]
    for xi in directions.to(device, mean.dtype):
        gradients = torch.autograd.grad(
            mean, theta.values(), xi, retain_graph=True, materialize_grads=True
        )
        for b, g in zip(total, gradients, strict=True):
            b += g**2
    return total


class SCP(Anchored):
    """Sliced Cramér preservation: the importances of all tasks added up, around the newest weights.

    lam: the strength, from 0 (fine-tuning) to infinity (what has importance is frozen). slices, seed: see `importance`.
    """

    def __init__(self, lam, *, slices=None, seed=0):
        super().__init__(lam)
        self.slices, self.seed = slices, seed

    def measure(self, model, task, active):
        x = task.train.x
        return importance(model, x, active, slices=self.slices, seed=self.seed)

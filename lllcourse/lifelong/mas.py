"""Memory aware synapses: a weight matters if the outputs react to it.

    b_i = 1/n sum_x | d ||f(x)||^2 / d theta_i |

No label and no loss is needed: what is to be kept is the function that the network computes, right or wrong. The
absolute value is taken for each example, before the mean.

Aljundi et al. 2018, "Memory aware synapses: learning what (not) to forget" (arXiv:1711.09601).
"""

import torch

from .. import checks
from ..per_sample import summed_gradients
from ..training import device_of
from .anchored import Anchored


def importance(model, x, active=None, *, batch_size=500):
    """The mean over examples of |d ||f(x)||^2 / d theta|: a list with a tensor for each parameter.

    x: (n, ...). active: boolean mask (outputs,), those of which the norm is taken; None means all.
    Raises ValueError where there is no data.
    """
    checks.require(len(x), "importance needs data: x must not be empty")
    device = device_of(model)
    among = torch.ones((), device=device) if active is None else active.to(device)

    def cotangents(outputs):
        return [2 * outputs * among]  # the derivative of the squared norm

    total = [torch.zeros_like(theta) for theta in model.parameters()]
    for batch in x.to(device).split(batch_size):
        sizes = summed_gradients(model, batch, cotangents, size=torch.abs)
        for b, size in zip(total, sizes, strict=True):
            b += size / len(x)
    return total


class MAS(Anchored):
    """Memory aware synapses: the importances of all tasks added up, around the newest weights.

    lam: the strength, from 0 (fine-tuning) to infinity (what has importance is frozen).
    """

    def measure(self, model, task, active):
        return importance(model, task.train.x, active)

"""Depth and width in one: a network whose exits and widths are all trained, so that it can run at any pair of them.

    L = sum over the widths w and the exits l of e_{w, l}

At each width the network has all its exits: one file holds (widths x exits) networks. (One network for the budget and
for the example, by skipping layers and channels and by stopping early: Wang et al. 2020, "Dual dynamic inference",
arXiv:1907.04523.)
"""

import torch
from torch.nn import functional as F

from ..losses import only_active
from ..training import device_of, evaluating
from .exits import Every, macs_to
from .slimmable import Slimmable


class Adjustable(Slimmable):
    """model: a network with exits (`exits.Exits`), which is copied. x: some examples for it, (n, ...).

    widths: as for `Slimmable`. As a network it is its last exit at full width; `every(x, k)` gives all exits at the
    k-th width, and `exits(k)` the k-th width as a network with exits of its own.
    """

    def __init__(self, model, x, widths=(0.25, 0.5, 1.0)):
        super().__init__(Every(model), x, widths)

    def forward(self, x):
        return self.wide(x)[-1]

    def every(self, x, k):
        """The outputs of every exit at the k-th width, a list of (n, outputs)."""
        return self.at_width(x, k)

    def exits(self, k):
        return self.plain(k).model


def all_settings(model, x, y, active=None):
    """The sum of the cross-entropies of all exits at all widths, a scalar: a loss for `training.train`."""
    outputs = (z for k in range(len(model.widths)) for z in model.every(x, k))
    return sum(F.cross_entropy(only_active(z, active), y) for z in outputs)


@torch.no_grad()
def measured(model, split):
    """For every setting, all exits of the first width, then of the next: what it costs (MACs) and how accurate it is.

    Returns two lists, (settings,) int and (settings,) shares: what `controller.choose` has to know.
    """
    costs, accuracies = [], []
    split = split.to(device_of(model))
    for k in range(len(model.widths)):
        net = model.exits(k)
        costs += macs_to(net, split.x).tolist()
        with evaluating(net):
            every = net.every(split.x)
        accuracies += [
            (z.argmax(1) == split.y).double().mean().item() for z in every
        ]
    return costs, accuracies

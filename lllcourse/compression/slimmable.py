"""Slimmable networks: the same weights at several widths, of which the device takes the one that it can afford.

At the width w every layer uses the first share w of its units: of its weights (outputs, inputs) the upper left part.

    L = sum over the widths w of the cross-entropy at w

Only batch norm is kept apart, once for each width (switchable): the means and variances of a narrow network are not
those of a wide one (Yu et al. 2019, arXiv:1812.08928).
"""

import copy

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from .. import checks
from ..losses import only_active
from . import units
from .structured import remove

WIDTHS = (0.25, 0.5, 0.75, 1.0)


class Slimmable(nn.Module):
    """model: a network whose units can be followed (`units.find`); it is copied. x: some examples for it, (n, ...).

    widths: rising shares of the units, each above 0 and at most 1, the last one 1. switchable: whether each width has
    batch norm of its own; if not, a narrow network norms as the first units of the wide one do, for comparison.
    As a network it has the full width; `at_width(x, k)` gives the outputs at the k-th, and `plain(k)` the k-th as a
    network of its own.
    """

    def __init__(self, model, x, widths=WIDTHS, *, switchable=True):
        super().__init__()
        self.widths = tuple(float(w) for w in widths)
        checks.require(
            self.widths == tuple(sorted(set(self.widths)))
            and self.widths[:1] > (0,)
            and self.widths[-1:] == (1,),
            f"widths is {widths}; it must be rising shares above 0, of which the last is 1",
        )
        found = units.find(model, x)
        checks.require(
            len(found) > 0, "the network has no hidden units to take a share of"
        )
        self.wide, self.narrow = copy.deepcopy(model), nn.ModuleList()
        for w in self.widths[:-1]:
            counts = {u.name: max(1, round(w * u.count)) for u in found}
            first = {name: torch.arange(n) for name, n in counts.items()}
            self.narrow.append(frame(remove(model, x, first), switchable))

    def forward(self, x):
        return self.wide(x)

    def at_width(self, x, k):
        """The outputs at the k-th width, (n, outputs)."""
        if range(len(self.widths))[k] == len(self.narrow):
            return self.wide(x)
        narrow = self.narrow[k]
        return functional_call(narrow, self.slices(narrow), x)

    def slices(self, narrow):
        """The part of the weights that a narrower network uses, by name: views, so that gradients reach them all."""
        lent = lent_to(narrow)
        of_wide = dict(self.wide.named_parameters()) | dict(
            self.wide.named_buffers()
        )
        return {
            name: of_wide[name][tuple(map(slice, place.shape))]
            for name, place in lent.items()
        }

    @torch.no_grad()
    def plain(self, k):
        """The network at the k-th width, with its own copy of the weights and in the present mode."""
        if range(len(self.widths))[k] == len(self.narrow):
            return copy.deepcopy(self.wide)
        new = copy.deepcopy(self.narrow[k])
        trained = dict(self.wide.named_parameters())
        for name, value in self.slices(self.narrow[k]).items():
            layer, _, end = name.rpartition(".")
            layer, value = new.get_submodule(layer), value.clone()
            del layer._buffers[end]
            if name in trained:
                free = trained[name].requires_grad
                layer.register_parameter(end, nn.Parameter(value, free))
            else:
                layer.register_buffer(end, value)
        return new


@torch.no_grad()
def frame(model, switchable=True):
    """A copy of a network without the numbers of its linear and convolutional layers, which others will lend it; and
    without those of batch norm, unless it is switchable.
    """
    new = copy.deepcopy(model)
    lends = (nn.Linear, nn.Conv2d) if switchable else nn.Module
    for layer in new.modules():
        if isinstance(layer, lends):
            own = [*layer._parameters.items(), *layer._buffers.items()]
            for name, p in own:
                if p is not None:
                    layer._parameters.pop(name, None)
                    layer._buffers.pop(name, None)
                    place = torch.zeros(()).to(p).expand(p.shape)
                    layer.register_buffer(name, place, persistent=False)
    return new


def lent_to(narrow):
    """The places in a frame for what is lent, by name: the buffers that its file does not hold."""
    kept = narrow.state_dict().keys()
    return {name: p for name, p in narrow.named_buffers() if name not in kept}


def all_widths(model, x, y, active=None):
    """The sum of the cross-entropies at all widths, a scalar: a loss for `training.train`."""
    outputs = (model.at_width(x, k) for k in range(len(model.widths)))
    return sum(F.cross_entropy(only_active(z, active), y) for z in outputs)

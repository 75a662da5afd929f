"""Early exits: a classifier after every stage, so that an easy image need not go through the whole network.

    L = e_1 + ... + e_L        all exits are trained together, e_l the cross-entropy of the l-th

Running, an example leaves at the first exit that is sure of it: where the largest probability reaches the threshold.
Later stages are computed for the others only. (Teerapittayanon, McDanel and Kung 2016, arXiv:1709.01686.)
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from .. import checks
from ..losses import only_active
from ..training import device_of, evaluating
from .blocks import draw_all
from .footprint import macs


class Exits(nn.Module):
    """stages: modules that are run one after another; what one gives the next is a tensor (n, ...), or a list of
    several. heads: for each stage a module from what it gives to (n, outputs).

    As a network it is its last exit; `every(x)` gives them all.
    """

    def __init__(self, stages, heads):
        super().__init__()
        self.stages, self.heads = nn.ModuleList(stages), nn.ModuleList(heads)
        checks.require(
            0 < len(self.stages) == len(self.heads),
            f"there are {len(self.stages)} stages and {len(self.heads)} heads; give one head for each stage",
        )

    def forward(self, x):
        for stage in self.stages:
            x = stage(x)
        return self.heads[-1](x)

    def every(self, x):
        """The outputs of every exit, a list of (n, outputs)."""
        outputs = []
        for stage, head in zip(self.stages, self.heads, strict=True):
            x = stage(x)
            outputs.append(head(x))
        return outputs


class Every(nn.Module):
    """A network with exits, as one that gives the outputs of every exit: the same modules, not a copy."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model.every(x)


def alone(model, k):
    """A copy of the k-th exit (from 0 on) as a network of its own: the stages up to it, and its head."""
    exits = range(len(model.stages))
    checks.require(
        checks.whole("k", k) in exits,
        f"k is {k}; the network has the exits 0 to {len(exits) - 1}",
    )
    return copy.deepcopy(nn.Sequential(*model.stages[: k + 1], model.heads[k]))


def all_exits(model, x, y, active=None):
    """The sum of the cross-entropies of all exits, a scalar: a loss for `training.train`."""
    return sum(F.cross_entropy(only_active(z, active), y) for z in model.every(x))


def sure(logits):
    """The largest probability, (n,)."""
    return logits.softmax(1).amax(1)


def check(threshold):
    checks.require(
        threshold >= 0, f"threshold is {threshold}; it must be a number from 0 on"
    )


def first_sure(outputs, threshold):
    """At which exit each example leaves, (n,) from 0 on, given what all exits say: the first one that is sure enough,
    the last one where none is.

    outputs: a list of (n, outputs), as `Exits.every` gives it. threshold: 0 or more; above 1 nobody leaves early.
    """
    check(threshold)
    enough = torch.stack([sure(z) >= threshold for z in outputs])
    enough[-1] = True
    return enough.int().argmax(0)


@torch.no_grad()
def leave(model, x, threshold):
    """The labels (n,) of the examples and the exits (n,) at which they left; what leaves is computed no further.

    In evaluation mode. threshold: as for `first_sure`.
    """
    check(threshold)
    h, last = x.to(device_of(model)), len(model.stages) - 1
    labels = torch.zeros(len(x), dtype=torch.long, device=h.device)
    exits, inside = (
        torch.full_like(labels, last),
        torch.arange(len(x), device=h.device),
    )
    with evaluating(model):
        for number, (stage, head) in enumerate(
            zip(model.stages, model.heads, strict=True)
        ):
            h = stage(h)
            z = head(h)
            labels[inside], exits[inside] = z.argmax(1), number
            stay = sure(z) < threshold
            inside, h = inside[stay], only(h, stay)
            if len(inside) == 0:
                break
    return labels, exits


def only(h, which):
    """Of what a stage gives, a tensor or a list of tensors, the examples that a boolean mask (n,) names."""
    return [t[which] for t in h] if isinstance(h, list | tuple) else h[which]


def macs_to(model, x):
    """The multiply-accumulates that an example has taken when it leaves at each exit, (exits,) int64; with the heads
    that it has passed. x: examples, of which the first is used.
    """
    first = (
        Exits(model.stages[:n], model.heads[:n])
        for n in range(1, len(model.stages) + 1)
    )
    return torch.tensor(
        [macs(Every(part), x) for part in first], device=device_of(model)
    )


class ExitNet(Exits):
    """Three stages, each a convolution of 3x3 with batch norm and ReLU, of which the first two halve the sides; each
    head reads the means of 4x4 fields.

    channels: the maps of each stage. image: (channels, height, width) of the input. seed: of the initial weights.
    Input (n, ...) with that many values an example, output (n, outputs).
    """

    def __init__(
        self, channels=(16, 32, 64), outputs=10, *, image=(1, 28, 28), seed=0
    ):
        sizes = list(zip((image[0], *channels), channels, strict=False))
        stages = [
            nn.Sequential(
                *([nn.Flatten(), nn.Unflatten(1, tuple(image))] if k == 0 else []),
                skip_init(
                    nn.Conv2d, i, o, 3, 2 if k < 2 else 1, padding=1, bias=False
                ),
                *(nn.BatchNorm2d(o), nn.ReLU()),
            )
            for k, (i, o) in enumerate(sizes)
        ]
        heads = [
            nn.Sequential(
                *(nn.AdaptiveAvgPool2d(4), nn.Flatten()),
                skip_init(nn.Linear, 16 * o, outputs),
            )
            for o in channels
        ]
        super().__init__(stages, heads)
        draw_all(self, seed)

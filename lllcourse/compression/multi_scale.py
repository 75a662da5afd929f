"""A multi-scale dense network: early exits that need not wait for coarse maps, and that later layers may ignore.

An early exit of a plain network has two faults. It reads fine maps of few layers, which say much about strokes and
little about the whole image; and what it asks of the first layers may not be what the last exit needs of them. So keep
every layer at several scales from the start, read all exits from the coarsest, and let every layer read all layers
before it:

    x[s, 1]  =  conv(x[s-1, 1], stride 2)
    x[s, l]  =  conv([x[s, 1] ... x[s, l-1]])  and  conv([x[s-1, 1] ... x[s-1, l-1]], stride 2)  side by side
    the l-th exit reads  [x[S, 1] ... x[S, l]],    S the coarsest scale

Huang, Chen, Li, Wu, van der Maaten and Weinberger 2018, "Multi-scale dense networks for resource efficient image
classification" (arXiv:1703.09844). Left out of the paper's: bottlenecks of 1x1, and transitions that halve the maps.
"""

import torch
from torch import nn
from torch.nn.utils import skip_init

from .. import checks
from .blocks import draw_all
from .exits import Exits


def layer(inputs, outputs, stride=1):
    return nn.Sequential(
        skip_init(nn.Conv2d, inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class First(nn.Module):
    """An image to its maps at all scales, each from the one before."""

    def __init__(self, image, channels):
        super().__init__()
        self.image = tuple(image)
        pairs = zip((image[0], *channels), channels, strict=False)
        self.scales = nn.ModuleList(layer(i, o, 2) for i, o in pairs)

    def forward(self, x):
        maps, h = [], x.flatten(1).unflatten(1, self.image)
        for scale in self.scales:
            h = scale(h)
            maps.append(h)
        return maps


class Next(nn.Module):
    """One more layer: at some scales, the fine ones first, new maps beside those that are there.

    channels: how many maps each scale has. new: how many it gets, half of them from the next finer scale; 0 for none.
    """

    def __init__(self, channels, new):
        super().__init__()
        self.across, self.down = nn.ModuleDict(), nn.ModuleDict()
        channels = list(channels)
        for s, more in enumerate(new):
            if more and s:
                self.down[str(s)] = layer(channels[s - 1], more // 2, 2)
                self.across[str(s)] = layer(channels[s], more - more // 2)
            elif more:
                self.across["0"] = layer(channels[0], more)
            channels[s] += more

    def forward(self, maps):
        maps = list(maps)
        for s, across in self.across.items():
            parts, k = [maps[int(s)], across(maps[int(s)])], int(s)
            if s in self.down:
                parts.append(self.down[s](maps[k - 1]))
            maps[k] = torch.cat(parts, 1)
        return maps


class Coarsest(nn.Module):
    """The maps at the last of the scales."""

    def forward(self, maps):
        return maps[-1]


class MultiScaleNet(Exits):
    """exits: how many, one a layer. scales: how many; the first has half the sides of the image, each next one half of
    those before. channels: the maps of the first layer at the first scale, twice as many at each next one. growth: the
    maps that every further layer adds at the first scale, twice as many at each next one.

    Maps are computed when an exit needs them: those of a finer scale one stage later (lazily, as in the paper).
    Each head reads the means of 4x4 fields. image: (channels, height, width). seed: of the initial weights.
    Input (n, ...) with that many values an example, output (n, outputs).
    """

    def __init__(
        self,
        exits=3,
        scales=3,
        channels=4,
        growth=8,
        outputs=10,
        *,
        image=(1, 28, 28),
        seed=0,
    ):
        sizes = {"exits": exits, "scales": scales, "channels": channels}
        for name, value in (sizes | {"growth": growth}).items():
            checks.whole(name, value, least=1)
        have = [channels * 2**s for s in range(scales)]
        stages, widths = [First(image, have)], [have[-1]]
        for number in range(2, exits + 1):
            # the coarsest scale is at this layer, each finer one a layer behind
            new = [
                growth * 2**s if number - (scales - 1 - s) >= 2 else 0
                for s in range(scales)
            ]
            stages.append(Next(have, new))
            have = [old + more for old, more in zip(have, new, strict=True)]
            widths.append(have[-1])
        heads = [
            nn.Sequential(
                *(Coarsest(), nn.AdaptiveAvgPool2d(4), nn.Flatten()),
                skip_init(nn.Linear, 16 * width, outputs),
            )
            for width in widths
        ]
        super().__init__(stages, heads)
        draw_all(self, seed)

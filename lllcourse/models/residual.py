"""A small residual network: its additions tie channels of several layers together."""

import torch
from torch import nn
from torch.nn.utils import skip_init

from .. import checks
from .initial import draw


class SmallResNet(nn.Module):
    """A convolution, then a residual block for each of `channels`, the mean over all places, and a linear layer.

    A block adds what it computes to what it reads (He et al. 2016, arXiv:1512.03385). From the second on, it halves the
    sides of the maps, and a convolution of 1x1 on the way around it fits their number.

    channels: the maps of each block. image: (channels, height, width) of the input.
    Input (n, ...) with that many values an example, output (n, outputs).

    >>> SmallResNet(seed=0)(torch.zeros(5, 784)).shape
    torch.Size([5, 10])
    """

    def __init__(self, channels=(8, 16), outputs=10, *, image=(1, 28, 28), seed=0):
        super().__init__()
        checks.require(
            len(channels) > 0, "channels is empty; give the maps of each block"
        )
        self.image, first = tuple(image), channels[0]
        self.start = skip_init(
            nn.Conv2d, self.image[0], first, 3, 2, padding=1, bias=False
        )
        self.norm = nn.BatchNorm2d(first)
        sizes = zip((first, *channels), channels, strict=False)
        self.blocks = nn.ModuleList(
            ResidualBlock(i, o, 1 if number == 0 else 2)
            for number, (i, o) in enumerate(sizes)
        )
        self.answer = skip_init(nn.Linear, channels[-1], outputs)
        generator = checks.generator(seed)
        with torch.no_grad():
            for layer in self.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    draw(layer, generator)

    def forward(self, x):
        return self.answer(self.features(x))

    def features(self, x):
        """The mean of every map of the last block, (n, channels[-1])."""
        x = x.flatten(1).unflatten(1, self.image)
        h = torch.relu(self.norm(self.start(x)))
        for block in self.blocks:
            h = block(h)
        return h.mean((2, 3))


class ResidualBlock(nn.Module):
    """Two convolutions of 3x3 with batch norm, added to what came in: (n, inputs, h, w) to (n, outputs, h', w')."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.convolutions = nn.ModuleList((
            skip_init(nn.Conv2d, inputs, outputs, 3, stride, padding=1, bias=False),
            skip_init(nn.Conv2d, outputs, outputs, 3, padding=1, bias=False),
        ))  # fmt: skip
        self.norms = nn.ModuleList(nn.BatchNorm2d(outputs) for _ in range(2))
        fits = inputs == outputs and stride == 1
        self.around = (
            nn.Identity()
            if fits
            else skip_init(nn.Conv2d, inputs, outputs, 1, stride, bias=False)
        )

    def forward(self, x):
        h = torch.relu(self.norms[0](self.convolutions[0](x)))
        h = self.norms[1](self.convolutions[1](h))
        return torch.relu(h + self.around(x))

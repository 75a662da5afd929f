"""The characteristic block of five small architectures, beside a plain convolution of 3x3.

Each takes maps (n, inputs, h, w) and gives (n, outputs, h, w), with batch norm after every convolution. What they have
in common: the two jobs of a convolution, to look around and to mix channels, are done by two cheaper ones.

    plain       3x3                                            9 I O
    Fire        1x1 to O/8, then 1x1 and 3x3 side by side      I O/8 + O/8 O/2 (1 + 9)
    Mobile      3x3 of each channel, 1x1                       9 I + I O
    Xception    twice 3x3 of each channel and 1x1, added to x  9 I + I O + 9 O + O O
    Shuffle     1x1 in groups, channels shuffled, 3x3 of each, 1x1 in groups, added to x      (I + O) O/4 / g + 9 O/4
    Ghost       1x1 to half of the maps, the other half from them by 3x3 of each              I O/2 + 9 O/2

SqueezeNet: Iandola et al. 2016, arXiv:1602.07360. MobileNet: Howard et al. 2017, arXiv:1704.04861. Xception: Chollet
2017, arXiv:1610.02357. ShuffleNet: Zhang et al. 2018, arXiv:1707.01083. GhostNet: Han et al. 2020, arXiv:1911.11907.
Where x is added and has other channels than what it is added to, a convolution of 1x1 fits them: I O weights more.
"""

import torch
from torch import nn
from torch.nn.utils import skip_init

from .. import checks
from ..models.initial import draw


def conv(inputs, outputs, k=1, groups=1, act=True):
    """A convolution that keeps the sides of the maps, batch norm, and ReLU unless `act` is False."""
    layer = nn.Conv2d(inputs, outputs, k, padding=k // 2, groups=groups, bias=False)
    return nn.Sequential(
        layer, nn.BatchNorm2d(outputs), nn.ReLU() if act else nn.Identity()
    )


def depthwise(channels, act=True):
    """3x3 of each channel by itself."""
    return conv(channels, channels, 3, groups=channels, act=act)


def shuffle(x, groups):
    """Channels in an order in which every group of the next layer reads from every group of the last, (n, c, h, w).

    >>> shuffle(torch.arange(6.0).view(1, 6, 1, 1), 2).flatten().tolist()
    [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
    """
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


class Plain(nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(conv(inputs, outputs, 3))


class Fire(nn.Module):
    """SqueezeNet: few channels reach the expensive 3x3, and only half of the outputs need it."""

    def __init__(self, inputs, outputs):
        super().__init__()
        divides("outputs", outputs, 8)
        few = outputs // 8
        self.squeeze = conv(inputs, few)
        self.one, self.three = conv(few, outputs // 2), conv(few, outputs // 2, 3)

    def forward(self, x):
        h = self.squeeze(x)
        return torch.cat([self.one(h), self.three(h)], 1)


class Mobile(nn.Sequential):
    """MobileNet: a depthwise separable convolution, with batch norm and ReLU after each half."""

    def __init__(self, inputs, outputs):
        super().__init__(depthwise(inputs), conv(inputs, outputs))


class Added(nn.Module):
    """relu(block(x) + x): x through a convolution of 1x1 where the channels differ."""

    def __init__(self, inputs, outputs):
        super().__init__()
        fits = inputs == outputs
        self.around = nn.Identity() if fits else conv(inputs, outputs, act=False)

    def forward(self, x):
        return torch.relu(self.block(x) + self.around(x))


class Xception(Added):
    """Xception: two depthwise separable convolutions without ReLU between their halves, and a way around both."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.block = nn.Sequential(
            *(depthwise(inputs, act=False), conv(inputs, outputs)),
            *(depthwise(outputs, act=False), conv(outputs, outputs, act=False)),
        )


class Shuffle(Added):
    """ShuffleNet: the 1x1 convolutions work in groups, so channels are shuffled between them, or groups never meet."""

    def __init__(self, inputs, outputs, groups=2):
        super().__init__(inputs, outputs)
        divides("inputs", inputs, groups)
        divides("outputs", outputs, 4 * groups)
        self.groups, few = groups, outputs // 4
        self.first = conv(inputs, few, groups=groups)
        self.look, self.last = (
            depthwise(few, act=False),
            conv(few, outputs, groups=groups, act=False),
        )

    def block(self, x):
        return self.last(self.look(shuffle(self.first(x), self.groups)))


class Ghost(nn.Module):
    """GhostNet: many maps resemble others, so half of them are made from the other half by cheap convolutions."""

    def __init__(self, inputs, outputs):
        super().__init__()
        divides("outputs", outputs, 2)
        self.primary, self.cheap = (
            conv(inputs, outputs // 2),
            depthwise(outputs // 2),
        )

    def forward(self, x):
        h = self.primary(x)
        return torch.cat([h, self.cheap(h)], 1)


BLOCKS = {
    "plain": Plain,
    "Fire": Fire,
    "Mobile": Mobile,
    "Xception": Xception,
    "Shuffle": Shuffle,
    "Ghost": Ghost,
}


class BlockNet(nn.Module):
    """A convolution of 3x3 to channels[0] maps of half the sides, a block for each of `channels` with pooling by 2
    between them, the mean over all places, and a linear layer.

    block: a class that takes (inputs, outputs), one of BLOCKS.values() for instance. channels: the maps of each block.
    image: (channels, height, width) of the input. seed: of the initial weights.
    Input (n, ...) with that many values an example, output (n, outputs).
    """

    def __init__(
        self, block, channels=(16, 32), outputs=10, *, image=(1, 28, 28), seed=0
    ):
        super().__init__()
        checks.require(
            len(channels) > 0, "channels is empty; give the maps of each block"
        )
        self.image, first = tuple(image), channels[0]
        self.start = nn.Sequential(
            skip_init(nn.Conv2d, image[0], first, 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
        )
        pairs = zip((first, *channels), channels, strict=False)
        with torch.random.fork_rng(devices=[]):  # the weights of `seed` come below
            self.blocks = nn.ModuleList(block(i, o) for i, o in pairs)
        self.answer = skip_init(nn.Linear, channels[-1], outputs)
        draw_all(self, seed)

    def forward(self, x):
        return self.answer(self.features(x))

    def features(self, x):
        """The mean of every map of the last block, (n, channels[-1])."""
        h = self.start(x.flatten(1).unflatten(1, self.image))
        for number, block in enumerate(self.blocks):
            h = block(nn.functional.max_pool2d(h, 2) if number else h)
        return h.mean((2, 3))


@torch.no_grad()
def draw_all(model, seed):
    """Initial weights of all linear and convolutional layers, in place, from the seed."""
    generator = checks.generator(seed)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            draw(layer, generator)


def divides(name, number, by):
    checks.require(
        number % by == 0, f"{name} is {number}; it must be a multiple of {by}"
    )

"""A convolutional network for digits, like LeNet-5 (LeCun et al. 1998), with batch norm, ReLU and max pooling."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from .. import checks
from .initial import draw


class LeNet5(nn.Module):
    """Two convolutions of 5x5, each followed by batch norm, ReLU and pooling by 2; then two linear layers.

    channels: how many maps each convolution makes. hidden: the width of the linear layer before the last.
    image: (channels, height, width) of the input; its sides must leave something after both convolutions: 16 or more.
    Input (n, ...) with that many values an example, output (n, outputs).

    >>> LeNet5(seed=0)(torch.zeros(5, 784)).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        channels=(8, 16),
        hidden=128,
        outputs=10,
        *,
        image=(1, 28, 28),
        seed=0,
    ):
        super().__init__()
        checks.require(
            len(channels) == 2,
            f"channels is {channels}; a LeNet-5 has two convolutions, so give two numbers",
        )
        self.image = tuple(image)
        sides = [((side - 4) // 2 - 4) // 2 for side in self.image[1:]]
        checks.require(
            min(sides) > 0,
            f"image is {self.image}; its sides must be 16 or more, else nothing is left after two convolutions",
        )
        first, second = channels
        # No bias: batch norm has a shift of its own.
        self.convolutions = nn.ModuleList(
            skip_init(nn.Conv2d, i, o, 5, bias=False)
            for i, o in ((self.image[0], first), (first, second))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in channels)
        self.hidden = skip_init(nn.Linear, second * sides[0] * sides[1], hidden)
        self.answer = skip_init(nn.Linear, hidden, outputs)
        generator = checks.generator(seed)
        with torch.no_grad():
            for layer in (*self.convolutions, self.hidden, self.answer):
                draw(layer, generator)

    def forward(self, x):
        return self.answer(self.features(x))

    def features(self, x):
        """What the last hidden layer says of x, (n, hidden)."""
        x = x.flatten(1).unflatten(1, self.image)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.max_pool2d(torch.relu(norm(convolution(x))), 2)
        return torch.relu(self.hidden(x.flatten(1)))

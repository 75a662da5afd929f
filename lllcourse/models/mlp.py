"""Fully connected networks."""

import torch
from torch import nn
from torch.nn.utils import skip_init

from .. import checks, device
from .initial import draw


class MLP(nn.Module):
    """Fully connected layers with ReLU between them.

    sizes: the width of every layer, input and output included; `MLP(784, 100, 100, 10)` has two hidden layers.
    Input (n, ...) with sizes[0] values an example, output (n, sizes[-1]).

    >>> MLP(2, 3, seed=0)(torch.zeros(5, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(self, *sizes, seed=0):
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(
                f"MLP{sizes}: give at least the width of the input and of the output"
            )
        self.layers = nn.ModuleList(
            skip_init(nn.Linear, i, o)
            for i, o in zip(sizes, sizes[1:], strict=False)
        )
        generator = checks.generator(seed)
        with torch.no_grad():
            for layer in self.layers:
                draw(layer, generator)

    def forward(self, x):
        return self.layers[-1](self.features(x))

    def features(self, x):
        """What the last hidden layer says of x, (n, sizes[-2]); without hidden layers, x itself."""
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return x


def network(seed=0, hidden=(100, 100)):
    """The course's network for digits, on `lllcourse.device()`: an MLP with 784 inputs and ten outputs.

    hidden: the widths of the layers between them.
    """
    return MLP(784, *hidden, 10, seed=seed).to(device())

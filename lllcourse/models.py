"""The networks of the course. Each takes flat or square images and returns one output (logit) a class.

The initial weights depend on `seed` alone, not on what was drawn before.
"""

import torch
from torch import nn
from torch.nn.utils import skip_init


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
            skip_init(nn.Linear, i, o) for i, o in zip(sizes, sizes[1:], strict=False)
        )
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for (
                layer
            ) in self.layers:  # uniform in +-1/sqrt(inputs), torch's own default
                bound = layer.in_features**-0.5
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)

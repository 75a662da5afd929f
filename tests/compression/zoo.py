"""The networks of the course, and others that a reader may bring, with examples for each."""

import torch
from torch import nn
from torch.nn import functional as F

from lllcourse.models import MLP, LeNet5, SmallResNet


class Plain(nn.Module):
    """Two convolutions with biases, strides and no batch norm, joined by functions; average pooling; flatten."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.one, self.two = nn.Conv2d(1, 6, 3, stride=2), nn.Conv2d(6, 5, 3, padding=1)
        self.three, self.four = nn.Linear(5 * 9, 7), nn.Linear(7, 3)

    def forward(self, x):
        h = F.avg_pool2d(F.gelu(self.two(F.relu(self.one(x)))), 2)
        return self.four(torch.tanh(self.three(torch.flatten(h, 1))))


class Sums(nn.Module):
    """Residual connections between linear layers, of which the first reads the sum of two others."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.a, self.b = nn.Linear(4, 6), nn.Linear(4, 6)
        self.c, self.d, self.e = nn.Linear(6, 5), nn.Linear(5, 6), nn.Linear(6, 3)

    def forward(self, x):
        h = torch.relu(self.a(x) + self.b(x))
        h = h + self.d(torch.relu(self.c(h)))
        return self.e(h + 1)


def sequential(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(6, 5, bias=False), nn.Sigmoid(), nn.Linear(5, 3)),
    )


def convolutional(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Conv2d(4, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(6, 3),
    )


#: A maker, and the shape of an example.
ZOO = {
    "MLP": (lambda s: MLP(12, 9, 8, 4, seed=s), (12,)),
    "LeNet5": (lambda s: LeNet5((3, 4), 6, 5, image=(1, 18, 17), seed=s), (306,)),
    "SmallResNet": (lambda s: SmallResNet((4, 6, 6), 3, image=(1, 9, 9), seed=s), (81,)),
    "functions": (Plain, (1, 14, 14)),
    "sums": (Sums, (4,)),
    "sequential": (sequential, (4,)),
    "convolutional": (convolutional, (1, 12, 12)),
}


#: Those of the course, as small as they can be, each from its seed.
SMALL = {
    "MLP": lambda seed=0: MLP(20, 12, 8, 5, seed=seed),
    "LeNet5": lambda seed=0: LeNet5((3, 4), 8, image=(1, 16, 16), seed=seed),
    "SmallResNet": lambda seed=0: SmallResNet((3, 4), image=(1, 8, 8), seed=seed),
}


def network(name, seed=0):
    """A network with running statistics of its own, in training mode as networks are made, and 12 examples."""
    make, shape = ZOO[name]
    model = make(seed)
    x = torch.rand(12, *shape, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for _ in range(3):
            model(x)
        for layer in model.modules():  # else all channels of a norm are scaled alike
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                layer.weight.uniform_(0.5, 1.5)
                layer.bias.uniform_(-0.5, 0.5)
    return model, x


def state(model):
    return {n: t.clone() for n, t in model.state_dict().items()}

"""Networks of many kinds, each with three outputs, and examples for them: what a student may bring to a method."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from lllcourse.data import Split, Task
from lllcourse.models import MLP, Reader

OUTPUTS = 3


@dataclass(frozen=True)
class Kind:
    make: Callable  # () -> the network
    shape: tuple = (6,)  # of an example
    words: int = 0  # tokens below this number; 0: floats


class Of(nn.Module):
    """A network with these layers, and this function of itself and x."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.compute = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.compute(self, x)


def linear(i=6, o=OUTPUTS, **options):
    return nn.Linear(i, o, **options)


def chain(*between, width=8):
    return nn.Sequential(linear(6, width), *between, linear(width))


def tied():
    net = nn.Sequential(linear(6, 6), nn.Tanh(), linear(6, 6), nn.Tanh(), linear())
    net[2].weight = net[0].weight
    return net


def frozen():
    net = chain(nn.ReLU())
    net[0].requires_grad_(False)
    return net


def hooked():
    net = chain(nn.ReLU())
    net[0].register_forward_hook(lambda layer, inputs, z: 2 * z)
    return net


def overwritten(net, x):
    h = net.a(x)
    h += x  # in place, on what the layer gave
    return net.b(h.relu_())


def branch(net, x):
    return torch.cat([net.a(row) if row.sum() < 3 else net.b(row) for row in x.split(1)])


ZOO = {
    "chain": Kind(lambda: MLP(6, 8, OUTPUTS)),
    "no bias": Kind(lambda: nn.Sequential(linear(6, 8, bias=False), nn.ReLU(), linear(8, bias=False))),
    "float64": Kind(lambda: MLP(6, 8, OUTPUTS).double()),
    "activation in place": Kind(lambda: chain(nn.ReLU(inplace=True))),
    "sum in place": Kind(lambda: Of(overwritten, a=linear(6, 6), b=linear())),
    "layer used twice": Kind(lambda: Of(lambda net, x: net.b(net.a(torch.tanh(net.a(x)))), a=linear(6, 6), b=linear())),
    "weight shared": Kind(tied),
    "weight used besides its layer": Kind(
        lambda: Of(lambda net, x: net.b(F.linear(torch.tanh(net.a(x)), net.a.weight)), a=linear(6, 6), b=linear())
    ),
    "weight used without its layer": Kind(
        lambda: Of(lambda net, x: net.b(F.linear(x, net.a.weight)), a=linear(6, 6), b=linear())
    ),
    "layer not used": Kind(lambda: Of(lambda net, x: net.b(x), a=linear(6, 6), b=linear())),
    "layer frozen": Kind(frozen),
    "hook that doubles": Kind(hooked),
    "weight norm": Kind(lambda: nn.Sequential(parametrizations.weight_norm(linear(6, 8)), nn.ReLU(), linear(8))),
    "rows of parts": Kind(
        lambda: Of(lambda net, x: net.a(x.reshape(-1, 3)).reshape(len(x), 2, -1).sum(1), a=linear(3))
    ),
    "tokens of vectors": Kind(lambda: Of(lambda net, x: net.a(x).mean(1), a=linear(3)), (4, 3)),
    "dropout": Kind(lambda: chain(nn.Dropout(), nn.ReLU())),
    "batch norm": Kind(lambda: chain(nn.BatchNorm1d(8), nn.ReLU())),
    "layer norm": Kind(lambda: chain(nn.LayerNorm(8), nn.ReLU())),
    "convolution": Kind(
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Dropout(), nn.Flatten(), linear(18)), (1, 5, 5)
    ),
    "convolution, batch norm": Kind(
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), linear(18)), (1, 5, 5)
    ),
    "embedding": Kind(
        lambda: Of(lambda net, x: net.b(net.a(x).mean(1)), a=nn.Embedding(5, 4), b=linear(4)), (4,), words=5
    ),
    "attention": Kind(lambda: Reader(5, OUTPUTS, rows=2, length=3, width=4, heads=2, blocks=1), (6,), words=5),
    "recurrent": Kind(
        lambda: Of(lambda net, x: net.b(net.a(x)[0][:, -1]), a=nn.LSTM(3, 4, batch_first=True), b=linear(4)), (4, 3)
    ),
    "branch on a value": Kind(lambda: Of(branch, a=chain(nn.LayerNorm(8)), b=linear())),
}  # fmt: skip


def network(name, seed=0):
    """The network of this name; its initial weights follow from the seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = ZOO[name].make()
        for layer in net.modules():  # statistics that are not those of a new layer
            if getattr(layer, "running_mean", None) is not None:
                layer.running_mean.normal_()
                layer.running_var.uniform_(0.5, 2)
    return net


def examples(name, n, seed=0):
    """n examples for the network of this name, and labels."""
    kind, draw = ZOO[name], torch.Generator().manual_seed(seed)
    y = torch.randint(OUTPUTS, (n,), generator=draw)
    if kind.words:
        return torch.randint(kind.words, (n, *kind.shape), generator=draw), y
    dtype = next(kind.make().parameters()).dtype
    return torch.rand(n, *kind.shape, generator=draw).to(dtype), y


def sequence(name, T=2, n=24):
    """T tasks for the network of this name: the same examples, every time with other labels."""
    drawn = [examples(name, n, seed) for seed in range(3)]
    parts = [[Split(x, (y + t) % OUTPUTS) for x, y in drawn] for t in range(T)]
    return [Task(f"{name} {t}", *splits, classes=range(OUTPUTS)) for t, splits in enumerate(parts, 1)]

"""Learned skipping: before each residual block a gate decides, example by example, whether the block is computed.

    h <- relu(h + g f(h)),    g = 1 where s(h) > 0, else 0,    L = cross-entropy + price * mean of g

f is the block; s a linear function of the mean of every map, learned with the rest: its gradient goes straight through
the decision. The price says how much accuracy a computed block must be worth. In evaluation mode a block is computed
for those examples only whose gate is open.

SkipNet (Wang et al. 2018, arXiv:1711.09485) refines such gates by reinforcement learning; BlockDrop (Wu et al. 2018,
arXiv:1711.08393) decides about all blocks at once, before the first. Straight-through gates: Veit and Belongie 2018
(arXiv:1711.11503).
"""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from .. import checks
from ..losses import only_active
from ..masks import straight_through
from .blocks import conv, draw_all


class SkipNet(nn.Module):
    """A convolution of 3x3 that halves the sides, then `blocks` residual blocks of two convolutions of 3x3, each with a
    gate, then the mean over all places and a linear layer.

    image: (channels, height, width) of the input. seed: of the initial weights; gates start open.
    Input (n, ...) with that many values an example, output (n, outputs).
    """

    def __init__(
        self, channels=16, blocks=4, outputs=10, *, image=(1, 28, 28), seed=0
    ):
        super().__init__()
        self.image = tuple(image)
        blocks = checks.whole("blocks", blocks, least=1)
        self.start = nn.Sequential(
            skip_init(nn.Conv2d, image[0], channels, 3, 2, padding=1, bias=False),
            *(nn.BatchNorm2d(channels), nn.ReLU()),
        )
        with torch.random.fork_rng(devices=[]):  # the weights of `seed` come below
            self.blocks = nn.ModuleList(
                nn.Sequential(
                    conv(channels, channels, 3),
                    conv(channels, channels, 3, act=False),
                )
                for _ in range(blocks)
            )
        self.gates = nn.ModuleList(
            skip_init(nn.Linear, channels, 1) for _ in range(blocks)
        )
        self.answer = skip_init(nn.Linear, channels, outputs)
        draw_all(self, seed)
        for gate in self.gates:
            nn.init.ones_(gate.bias)

    def forward(self, x):
        return self.with_gates(x)[0]

    def with_gates(self, x):
        """The outputs (n, outputs), and which blocks were computed for each example: (n, blocks), 1 or 0."""
        h, decided = self.start(x.flatten(1).unflatten(1, self.image)), []
        for gate, block in zip(self.gates, self.blocks, strict=True):
            g = straight_through(gate(h.mean((2, 3)))[:, 0])
            decided.append(g)
            if self.training:
                # batch norm sees all examples, whether they skip or not
                h = torch.relu(h + g[:, None, None, None] * block(h))
            elif len(go := g.nonzero()[:, 0]):
                h = h.index_copy(0, go, torch.relu(h[go] + block(h[go])))
        return self.answer(h.mean((2, 3))), torch.stack(decided, 1)


def priced(price):
    """A loss for `training.train`: the cross-entropy, and `price` (0 or more) times the share of blocks computed."""
    checks.require(
        0 <= price < math.inf, f"price is {price}; it must be a number from 0 on"
    )

    def loss(model, x, y, active=None):
        logits, gates = model.with_gates(x)
        return (
            F.cross_entropy(only_active(logits, active), y) + price * gates.mean()
        )

    return loss

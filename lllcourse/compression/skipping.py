"""Learned skipping: before each residual block a gate decides, example by example, whether the block is computed.

    h <- relu(h + g f(h)),    g = 1 where s(h) > 0, else 0,    L = cross-entropy + price * mean of g

f is the block; s a linear function of the mean of every map, learned with the rest: its gradient passes the decision as
if g were the sigmoid of s. The price says how much accuracy a computed block must be worth. In evaluation mode a block
is computed for those examples only whose gate is open.

SkipNet (Wang et al. 2018, arXiv:1711.09485) trains such gates like this first, and refines them by reinforcement
learning; BlockDrop (Wu et al. 2018, arXiv:1711.08393) decides about all blocks at once, before the first. Gates with a
target rate for each: Veit and Belongie 2018 (arXiv:1711.11503).
"""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from .. import checks
from ..losses import only_active
from ..training import device_of, evaluating
from .blocks import conv, draw_all
from .footprint import macs


def opened(score):
    """[score > 0] as numbers, 1 or 0, whose gradient is that of sigmoid(score): small where the gate is sure."""
    soft = score.sigmoid()
    return (score > 0).to(score.dtype) + (soft - soft.detach())


class SkipNet(nn.Module):
    """Two convolutions of 3x3 that halve the sides, then `blocks` residual blocks of two convolutions of 3x3, each with
    a gate, then the means of 4x4 fields and a linear layer.

    image: (channels, height, width) of the input. seed: of the initial weights; gates start open.
    Input (n, ...) with that many values an example, output (n, outputs).
    """

    def __init__(
        self, channels=16, blocks=3, outputs=10, *, image=(1, 28, 28), seed=0
    ):
        super().__init__()
        self.image = tuple(image)
        blocks = checks.whole("blocks", blocks, least=1)
        self.start = nn.Sequential(
            *(half(image[0], channels), nn.BatchNorm2d(channels), nn.ReLU()),
            *(half(channels, channels), nn.BatchNorm2d(channels), nn.ReLU()),
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
        self.answer = nn.Sequential(
            *(nn.AdaptiveAvgPool2d(4), nn.Flatten()),
            skip_init(nn.Linear, 16 * channels, outputs),
        )
        draw_all(self, seed)
        for gate in self.gates:
            nn.init.ones_(gate.bias)

    def forward(self, x):
        return self.with_gates(x)[0]

    def with_gates(self, x, given=None):
        """The outputs (n, outputs), and which blocks were computed for each example: (n, blocks), 1 or 0.

        given: (n, blocks), 1 or 0, in place of what the gates say.
        """
        h, decided = self.start(x.flatten(1).unflatten(1, self.image)), []
        for k, (gate, block) in enumerate(
            zip(self.gates, self.blocks, strict=True)
        ):
            g = opened(gate(h.mean((2, 3)))[:, 0]) if given is None else given[:, k]
            decided.append(g)
            if self.training:
                # batch norm sees all examples, whether they skip or not
                h = torch.relu(h + g[:, None, None, None] * block(h))
            elif len(go := g.nonzero()[:, 0]):
                h = h.index_copy(0, go, torch.relu(h[go] + block(h[go])))
        return self.answer(h), torch.stack(decided, 1)


def half(inputs, outputs):
    return skip_init(nn.Conv2d, inputs, outputs, 3, 2, padding=1, bias=False)


@torch.no_grad()
def macs_of(model, x, decided):
    """The multiply-accumulates that each example takes when the blocks of `decided` (n, blocks) are computed: (n,)
    int64; with all the gates. x: examples, of which the first is used.
    """
    image = x[:1].to(device_of(model)).flatten(1).unflatten(1, model.image)
    with evaluating(model):
        maps = model.start(image)
    always = macs(model.start, image) + macs(model.answer, maps)
    always += sum(macs(gate, maps.mean((2, 3))) for gate in model.gates)
    blocks = torch.tensor([macs(block, maps) for block in model.blocks])
    return always + (decided.long() * blocks.to(decided.device)).sum(1)


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

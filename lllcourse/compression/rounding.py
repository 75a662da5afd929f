"""Layers that compute with rounded weights, while they keep the real ones, and train those.

A layer keeps its weight w in full precision and computes with w^ = rule(w), which few bits can say. What is rounded has
no useful gradient, so it is taken straight through the rounding, as if that were not there:

    dL/dw = dL/dw^.

A trained network that is rounded and left as it is: post-training quantisation. One that is trained on with its weights
rounded: quantisation-aware training, in which small steps add up in w until w^ jumps.

Bengio, Leonard and Courville 2013, "Estimating or propagating gradients through stochastic neurons" (arXiv:1308.3432);
Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference"
(arXiv:1712.05877).
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from .. import checks
from .pruning import MASKED, PLAIN, prunable
from .report import Report, reported


def straight_through(value, w, passed=1):
    """`value`, to the last bit, with `passed` as its gradient with respect to w: w - w is 0."""
    return value.detach() + passed * (w - w.detach())


class RoundedLinear(nn.Linear):
    """A linear layer that computes with `rule(weight)`. What it gets and what it gives are not rounded."""

    def forward(self, x):
        return F.linear(x, weight_of(self), self.bias)


class RoundedConv2d(nn.Conv2d):
    """A convolution that computes with `rule(weight)`. What it gets and what it gives are not rounded."""

    def forward(self, x):
        return self._conv_forward(x, weight_of(self), self.bias)


ROUNDED = {nn.Linear: RoundedLinear, nn.Conv2d: RoundedConv2d}
PLAIN_OF = {rounded: plain for plain, rounded in ROUNDED.items()}


def weight_of(layer):
    """The weight that a rounded layer computes with; a mask of pruning comes first."""
    return layer.rule(kept(layer), layer.training)


def kept(layer):
    mask = getattr(layer, "mask", None)
    return layer.weight if mask is None else torch.where(mask, layer.weight, 0)


def with_rule(model, rule):
    """A copy of `model` whose linear and convolutional layers compute with rounded weights; biases, batch norm and what
    flows through the network are left in full precision.

    rule: `rule(w, training)`, the rounded weight, and `rule.coded(w)`, a `Coded` that says the same.
    The network's `.report` tells how many bytes the weights of each layer took, and take as codes.

    Raises ValueError for layers that are rounded already, weights that are not finite, and where no byte is saved.
    """
    checks.require(
        not any(type(m) in PLAIN_OF for m in model.modules()),
        "the weights of model are rounded already; give the network as it was before",
    )
    new, sizes = copy.deepcopy(model), {}
    for name, layer in prunable(new).items():
        weight = layer.weight.detach()
        checks.require(
            weight.numel() > 0,
            f"{name} has weights of shape {tuple(weight.shape)}: there is nothing to round",
        )
        checks.finite(**{f"the weight of {name or 'the layer'}": weight})
        layer.__class__ = ROUNDED[PLAIN.get(type(layer), type(layer))]
        layer.rule = rule
        length = sum(map(len, rule.coded(kept(layer).detach()).parts.values()))
        sizes[name] = [weight.numel() * weight.element_size(), length]
    return reported(new, Report("bytes", sizes))


@torch.no_grad()
def rounded(model):
    """A copy of `model` in which the rounded weights are all there is: an ordinary network, with its masks if any."""
    new = copy.deepcopy(model)
    for layer in rounded_in(new).values():
        layer.weight.copy_(layer.rule(kept(layer), False))
        plain = PLAIN_OF[type(layer)]
        layer.__class__ = MASKED[plain] if hasattr(layer, "mask") else plain
        del layer.rule
    return new


@torch.no_grad()
def coded(model) -> dict:
    """The rounded weights as codes, by name: for `compressed(rounded(model), coded(model))`."""
    return {
        f"{name}.weight" if name else "weight": layer.rule.coded(kept(layer))
        for name, layer in rounded_in(model).items()
    }


def rounded_in(model):
    """The layers with rounded weights, by name; ValueError where there is none."""
    layers = {n: m for n, m in model.named_modules() if type(m) in PLAIN_OF}
    checks.require(
        len(layers) > 0,
        "model has no rounded weights: quantise it first, quantized(model, bits=4)",
    )
    return layers

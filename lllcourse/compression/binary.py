"""Binary weights: one bit each, its sign, and the network is trained so that signs are enough.

    w^ = sign(w)  or  alpha * sign(w),    dL/dw = dL/dw^

BinaryConnect: the network computes with +1 and -1, and the steps of training add up in real weights w, clipped to
[-1, 1], until a sign turns. The sign may also be drawn at random, +1 with the probability clamp((w + 1) / 2, 0, 1).
Scaled: alpha is the mean of |w| over the weights of an output channel, of all scales the one with the smallest
|w - alpha sign(w)|^2. Weights of size 1 make large sums, so they want batch norm after every layer, as `Normed` has it.

Courbariaux, Bengio and David 2015, "BinaryConnect" (arXiv:1511.00363); Rastegari et al. 2016, "XNOR-Net"
(arXiv:1603.05279), whose gradient has a factor of about alpha, where here it goes straight through.
"""

import copy
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils import skip_init

from .. import checks
from ..models.initial import draw
from ..training import evaluating
from .packing import Coded, pack
from .quantization import number_bytes, numbers, unpacked
from .rounding import rounded_in, straight_through, with_rule


def sign(w):
    """+1 or -1; of zero +1."""
    return torch.where(w >= 0, 1, -1).to(w)


def drawn_sign(w):
    """+1 with the probability clamp((w + 1) / 2, 0, 1), else -1."""
    return sign((w + 1) / 2 - torch.rand_like(w))


def size_of(w):
    """alpha, the mean absolute weight of each output channel (o, ...): (o, 1, ...). Where all are zero it is 1."""
    alpha = w.detach().abs().mean(tuple(range(1, w.ndim)), keepdim=True)
    return torch.where(alpha > 0, alpha, 1)


@dataclass(frozen=True)
class Binary:
    """The rule of a binary layer. stochastic: signs are drawn anew for every batch of a training."""

    scaled: bool = False
    stochastic: bool = False

    def __call__(self, w, training):
        if self.stochastic and training:
            return straight_through(drawn_sign(w), w)
        return straight_through(self.alpha(w) * sign(w), w)

    def alpha(self, w):
        return size_of(w) if self.scaled else torch.ones_like(w.flatten()[:1])

    def coded(self, w) -> Coded:
        parts = {
            "scales": number_bytes(self.alpha(w)),
            "signs": pack(w >= 0, 1),
        }
        return Coded("binary", tuple(w.shape), parts)


def binarized(model, *, scaled=False, stochastic=False):
    """A copy of `model` that computes with the signs of its weights, in its linear and convolutional layers.

    Train it with `after_step=clip`, which BinaryConnect needs: a weight far from zero would never turn its sign.
    scaled: times the mean absolute weight of each output channel. stochastic: signs are drawn at random in training, as
    layers draw (dropout does), and in evaluation they are those of the weights. The real weights of each layer are then
    divided by the largest, since those next to zero would have signs of pure chance.
    `rounding.rounded` makes an ordinary network of it, and `compressed(rounded(new), coded(new))` the file.

    Raises ValueError for a network with masks, or whose weights are rounded already or shared; and for both at once of
    scaled and stochastic, since the probabilities are those of weights between -1 and 1.
    """
    checks.require(
        not (scaled and stochastic),
        "scaled and stochastic are both True; draw signs of weights of size 1, or scale fixed ones",
    )
    checks.require(
        not any(hasattr(layer, "mask") for layer in model.modules()),
        "model has masks, and a weight that was set to zero has no sign: take quantized(model, 2), which keeps zeros",
    )
    new = with_rule(model, Binary(scaled, stochastic))
    if stochastic:
        for layer in rounded_in(new).values():
            w = layer.weight.detach()
            w /= torch.where(w.any(), w.abs().max(), 1)
    return new


@torch.no_grad()
def clip(model):
    """Clip the real weights of binary layers to [-1, 1], in place: `training.train(model, split, after_step=clip)`."""
    for layer in model.modules():
        if isinstance(getattr(layer, "rule", None), Binary):
            layer.weight.clamp_(-1, 1)


@torch.no_grad()
def renewed(model, x):
    """A copy of `model` with the statistics of x in all its batch norms: signs put in the place of real weights have
    sums of another size. x: examples, (n, ...), 2 or more. Raises ValueError for a network without such statistics.
    """
    new = copy.deepcopy(model)
    norms = [
        m for m in new.modules() if getattr(m, "running_mean", None) is not None
    ]
    checks.require(
        len(norms) > 0, "model has no batch norm, and no statistics to renew"
    )
    momenta = [norm.momentum for norm in norms]
    with evaluating(new):
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum, norm.training = None, True  # the mean of all batches
        new(x)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return new


class Normed(nn.Sequential):
    """Fully connected layers, each without a bias and with batch norm after it, and ReLU between them.

    sizes: as of `models.MLP`. Input (n, ...), output (n, sizes[-1]).
    """

    def __init__(self, *sizes, seed=0):
        checks.require(
            len(sizes) > 1,
            f"Normed{sizes}: give at least the width of the input and of the output",
        )
        generator, layers = checks.generator(seed), [nn.Flatten()]
        for i, o in zip(sizes, sizes[1:], strict=False):
            linear = skip_init(nn.Linear, i, o, bias=False)
            with torch.no_grad():
                draw(linear, generator)
            layers += [linear, nn.BatchNorm1d(o), nn.ReLU()]
        super().__init__(*layers[:-1])


def from_binary(parts, shape, dtype):
    """The tensor that `Binary.coded` wrote; ValueError for parts that it could not have written."""
    alpha = numbers(parts["scales"], shape, dtype)
    return alpha * (2 * unpacked(parts["signs"], 1, shape) - 1)

"""Depthwise separable convolution: first every input channel by itself, then all channels at every place.

A convolution from I to O channels with kernels of k x k has I O k^2 weights: for each pair of channels a kernel. Taken
apart, it has a kernel D_i for each input channel (depthwise), and then a 1x1 convolution P that mixes them (pointwise):

    y_o = sum_i P_oi (D_i * x_i),    I k^2 + I O weights, which is 1/O + 1/k^2 of I O k^2.

The multiplications fall by the same ratio. It is the convolution whose kernels are W_oi = P_oi D_i: for each input
channel the kernels to all outputs, (O, k^2), are a matrix of rank 1 (Sifre 2014; Chollet 2017, arXiv:1610.02357; Howard
et al. 2017, arXiv:1704.04861).
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import is_parametrized

from .. import checks
from .report import Report, reported


def depthwise_separable(x, depthwise, pointwise, bias=None, stride=1, padding=0):
    """x: (n, I, h, w). depthwise: (I, k, k). pointwise: (O, I). bias: (O,). Returns (n, O, h', w')."""
    kernels = depthwise[:, None]
    h = F.conv2d(x, kernels, stride=stride, padding=padding, groups=len(kernels))
    return F.conv2d(h, pointwise[:, :, None, None], bias)


def full(depthwise, pointwise):
    """The kernels of the convolution that does the same: (O, I, k, k)."""
    return pointwise[:, :, None, None] * depthwise


def ratio(outputs, k):
    """How many of the weights, and of the multiplications, of a convolution are left: 1/O + 1/k^2."""
    return 1 / outputs + 1 / k**2


class Separable(nn.Sequential):
    """A convolution of kernel x kernel for every channel by itself, then one of 1x1 with a bias: (n, inputs, h, w) to
    (n, outputs, h', w'). Takes the arguments of `nn.Conv2d`.
    """

    def __init__(self, inputs, outputs, kernel, stride=1, padding=0, bias=True):
        super().__init__(
            nn.Conv2d(
                *(inputs, inputs, kernel, stride, padding),
                groups=inputs,
                bias=False,
            ),
            nn.Conv2d(inputs, outputs, 1, bias=bias),
        )


@torch.no_grad()
def nearest(weight):
    """The depthwise and pointwise weights, (I, k, k) and (O, I), whose product is nearest to `weight`, (O, I, k, k), in
    the sum of squares: for each input channel the first singular vectors of its kernels (Eckart and Young 1936).
    """
    kernels = weight.transpose(0, 1).flatten(2)  # (I, O, k^2)
    left, values, right = torch.linalg.svd(kernels, full_matrices=False)
    size = values[:, 0].sqrt()
    depthwise = size[:, None] * right[:, 0]
    pointwise = size * left[:, :, 0].T
    return depthwise.unflatten(1, weight.shape[2:]), pointwise


def separate(model):
    """A copy of `model` with every convolution replaced by the separable one that is nearest to it.

    Left as they are: convolutions with kernels of one place, in groups, dilated, padded with anything but zeros, or
    with so few inputs and outputs that nothing would be saved. What it computes changes: train it further.
    The network's `.report` tells how many weights are left. Raises ValueError where nothing would change, and where two
    places of the network share a convolution, or its weights are masked or computed from others.
    """
    new, sizes, made = copy.deepcopy(model), {}, {}
    for name, conv in list(new.named_modules(remove_duplicate=False)):
        if not isinstance(conv, nn.Conv2d) or not fewer(conv):
            continue
        plain_numbers(name, conv)
        checks.require(
            id(conv.weight) not in made,
            f"{name} shares its weights with {made.get(id(conv.weight))}, so neither can be replaced alone",
        )
        made[id(conv.weight)] = name
        checks.finite(**{f"{name}.weight": conv.weight})
        sizes[name] = [conv.weight.numel(), fewer(conv)]
        put_in(new, name, separated(conv))
    checks.require(
        len(sizes) > 0,
        "the network has no convolution of more than one place that a separable one would make smaller",
    )
    return reported(new, Report("weights", sizes))


def fewer(conv):
    """How many weights the separable convolution has in its place; 0 where there is none, or not fewer."""
    o, i, *k = conv.weight.shape
    plain = (
        conv.groups == 1
        and conv.padding_mode == "zeros"
        and set(conv.dilation) == {1}
    )
    few = i * k[0] * k[1] + i * o
    return few if plain and k != [1, 1] and few < conv.weight.numel() else 0


def plain_numbers(name, layer):
    """ValueError where the weights are masked, or computed from others: a replacement would not keep that."""
    checks.require(
        not hasattr(layer, "mask") and not is_parametrized(layer),
        f"{name} is masked, or its weights are computed from others: make its numbers plain first, "
        "pruning.without_masks(model)",
    )


def separated(conv):
    depthwise, pointwise = nearest(conv.weight)
    with torch.random.fork_rng(
        devices=[]
    ):  # initial weights are drawn, and thrown away
        new = Separable(
            *(conv.in_channels, conv.out_channels, conv.kernel_size),
            *(conv.stride, conv.padding, conv.bias is not None),
        ).to(conv.weight)
    with torch.no_grad():
        new[0].weight.copy_(depthwise[:, None])
        new[1].weight.copy_(pointwise[:, :, None, None])
        if conv.bias is not None:
            new[1].bias.copy_(conv.bias)
    new.requires_grad_(conv.weight.requires_grad)
    return new.train(conv.training)


def put_in(model, name, layer):
    """Replace the module of that name, in place."""
    parent, _, last = name.rpartition(".")
    checks.require(
        name != "", "the network is a single layer; put it into an nn.Sequential"
    )
    setattr(model.get_submodule(parent), last, layer)

"""Deep Compression: prune, share, code, and train in between; the result is a file.

    prune    set the smallest weights to zero, train the others on, and again
    share    let the weights of each layer that are left take k values, and train these
    code     write down gaps, indices and codebooks, the frequent ones in few bits

Each step works on what the one before has left: few weights have few indices, few values have short codes. Of a network
that is so small, biases and batch norm are a large part, so they are coded as well. Han, Mao and Dally 2016, "Deep
Compression" (arXiv:1510.00149).
"""

import copy

import torch
from torch import nn

from .. import checks
from .clustering import kmeans, nearest, share, shared_layers, without_sharing
from .coding import coded
from .compressed import compressed, plain
from .pruning import iterate, without_masks

LARGEST = 65_504  # of the numbers that 2 bytes can hold


def deep_compressed(model, sparsities, clusters, train, tune, *, few=32):
    """The whole pipeline: a `Compressed`, whose file is all that is left of `model`, which is not changed.

    sparsities, train: the steps of pruning, and `train(model)` after each, as for `pruning.iterate`.
    clusters, tune: how many values each layer may have, as for `share`, and `tune(model)`, which trains the centres.
    few: how many values a bias or a norm may have. Raises ValueError as `prune`, `share` and `code` do.
    """
    pruned = iterate(model, sparsities, train)
    shared = share(pruned, clusters)
    tune(shared)
    return code(shared, few=few)


def code(model, *, few=32):
    """The network, of which layers share their weights, as a `Compressed`: Huffman-coded, and centres of 2 bytes.

    few: how many values each bias and each tensor of a norm may have, 1 to 256; `kmeans` chooses them. Of a norm a
    scale and a shift for each channel are kept, which is all that it needs to be evaluated. What would take more bytes
    in this way than as plain numbers, or does not fit into 2 bytes, and weights that are not shared, stay as they are.

    The network in the file differs from `model` by what rounding and `few` do: measure that one, `code(...).restore()`.
    Raises ValueError for a network without shared weights, and where a centre does not fit into 2 bytes.
    """
    model, books = settled(without_masks(model)), shared_layers(model)
    checks.require(
        len(books) > 0, "no layer shares its weights: call share(model, k) before"
    )
    state = without_sharing(model).state_dict()
    parts = {f"{n}.weight" if n else "weight": layer for n, layer in books.items()}
    parts = {n: coded(layer.codebook, layer.index) for n, layer in parts.items()}
    for name, value in state.items():
        if name not in parts and (short := shortened(value, few)):
            parts[name] = short
    return compressed(without_sharing(model), parts)


def shortened(value, few):
    """A bias or a tensor of a norm with at most `few` values besides zero, coded; None where that would not do."""
    there = value[value != 0]
    if len(there) == 0:
        return coded(there, torch.zeros_like(value, dtype=torch.int64))
    if value.ndim > 1 or not value.is_floating_point():
        return None
    if not bool((there.abs() <= LARGEST).all()):
        return None
    centres = kmeans(there, few).to(value)
    index = torch.where(value != 0, nearest(value, centres) + 1, 0)
    short = coded(centres, index)
    size = sum(map(len, short.parts.values()))
    return short if size < len(plain(value).parts["values"]) else None


@torch.no_grad()
def settled(model):
    """A copy of `model` whose batch norms have means of 0 and variances of 1, and give the same in evaluation mode.

    Of four numbers for each channel, two are left: (x - mean) / sqrt(var + eps) * w + b is a x + (b - a mean).
    """
    new = copy.deepcopy(model)
    for norm in new.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm) and norm.affine:
            if norm.running_mean is None:
                continue
            a = norm.weight / (norm.running_var + norm.eps).sqrt()
            norm.bias -= a * norm.running_mean
            norm.weight.copy_(a * (1 + norm.eps) ** 0.5)
            norm.running_mean.zero_()
            norm.running_var.fill_(1)
            norm.num_batches_tracked.zero_()
    return new

"""Low rank: a layer of M outputs and N inputs becomes two, through K linear units in between.

    W (M x N)  ~  U V,    U (M x K), V (K x N),    K (M + N) weights instead of M N.

Of all matrices of rank at most K, the nearest to W keeps its K largest singular values; what is lost is, in the sum of
squares, that of the others (Eckart and Young 1936). It saves weights where K < M N / (M + N). For networks: Sainath et
al. 2013; Denton et al. 2014, arXiv:1404.0736. (The notes write Rank(W) < K; it is at most K.)

A convolution is such a matrix for the k x k patches that it reads: N = I k^2 inputs.
"""

import copy

import torch
from torch import nn
from torch.nn.utils import skip_init
from torch.nn.utils.parametrize import is_parametrized

from .. import checks
from .pruning import MaskedConv2d, MaskedLinear
from .report import Report, reported
from .separable import plain_numbers, put_in


@torch.no_grad()
def factors(W, K):
    """U (M, K) and V (K, N), of all products of rank K the nearest to W (M, N); both get the roots of the values."""
    left, values, right = torch.linalg.svd(W, full_matrices=False)
    size = values[:K].sqrt()
    return left[:, :K] * size, size[:, None] * right[:K]


def rank_for_energy(W, energy):
    """The smallest rank K whose singular values hold this share of the sum of squares of W (M, N)."""
    checks.require(
        0 < energy <= 1,
        f"energy is {energy}; it must be a share above 0 and at most 1",
    )
    squares = torch.linalg.svdvals(W.detach().double()).square()
    held = squares.cumsum(0) / squares.sum()
    # the last of them may miss 1 by rounding
    return min(int((held < energy - 1e-12).sum()) + 1, len(squares))


def rank_for_budget(W, weights):
    """The largest rank K with K (M + N) <= weights; ValueError where not even rank 1 fits."""
    K = int(weights // sum(W.shape))
    checks.require(
        K >= 1,
        f"weights is {weights}; rank 1 of a layer of {tuple(W.shape)} takes {sum(W.shape)}",
    )
    return min(K, *W.shape)


def low_rank(model, rank=None, *, energy=None, share=None):
    """A copy of `model` with linear and convolutional layers as two of lower rank, where that saves weights.

    One of: rank, a number for all layers, or a dictionary from names of layers to numbers, those not named stay;
    energy, the share of each layer's sum of squares that is kept; share, of each layer's weights that may be used.
    Layers stay that would get no smaller, and convolutions in groups or padded with anything but zeros.

    The network's `.report` tells how many weights are left. Raises ValueError where nothing would change, for a rank
    below 1 or above what the layer has, and for layers that are shared, masked or computed from others.
    """
    given = [v is not None for v in (rank, energy, share)]
    checks.require(sum(given) == 1, "give one of rank, energy and share")
    layers = {n: m for n, m in model.named_modules() if matrix_of(m) is not None}
    if isinstance(rank, dict):
        unknown = sorted(set(rank) - set(layers))
        checks.require(
            not unknown, f"rank names {unknown}; the layers are {[*layers]}"
        )
        layers = {n: layers[n] for n in rank}
    sizes, new = {}, copy.deepcopy(model)
    for name, layer in layers.items():
        own(model, name, layer)
        W = matrix_of(layer)
        if energy is not None:
            K = rank_for_energy(W, energy)
        elif share is not None:
            checks.share("share", share)
            K = rank_for_budget(W, share * W.numel())
        else:
            K = checks.whole(
                "rank", rank[name] if isinstance(rank, dict) else rank, 1
            )
            checks.require(
                K <= min(W.shape) or not isinstance(rank, dict),
                f"rank is {K} for {name}, whose rank is at most {min(W.shape)}",
            )
        few = K * sum(W.shape)
        if few < W.numel():
            sizes[name] = [W.numel(), few]
            put_in(new, name, two(layer, K))
    checks.require(
        len(sizes) > 0,
        "no layer would get smaller: a rank K saves weights where K (M + N) < M N; take a lower one",
    )
    return reported(new, Report("weights", sizes))


def matrix_of(layer):
    """The weights of a layer as a matrix, (outputs, inputs); None where it has none that can be factorised."""
    if type(layer) in (nn.Linear, MaskedLinear) or is_parametrized(layer):
        return layer.weight.detach().flatten(1)
    plain = type(layer) in (nn.Conv2d, MaskedConv2d) and layer.groups == 1
    if plain and layer.padding_mode == "zeros":
        return layer.weight.detach().flatten(1)
    return None


def own(model, name, layer):
    """ValueError unless the layer's weights are plain numbers, finite, and nobody else's."""
    plain_numbers(name, layer)
    owners = [p for _, p in model.named_parameters(remove_duplicate=False)]
    checks.require(
        sum(p is layer.weight for p in owners) == 1,
        f"{name} shares its weights with another layer, so it cannot be replaced alone",
    )
    checks.finite(**{f"{name}.weight": layer.weight})


@torch.no_grad()
def two(layer, K):
    """The two layers that stand for one: to K units without a bias, and from them to the outputs."""
    U, V = factors(matrix_of(layer), K)
    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        first = skip_init(nn.Linear, layer.in_features, K, bias=False)
        last = skip_init(nn.Linear, K, layer.out_features, bias=bias)
    else:
        how = layer.kernel_size, layer.stride, layer.padding, layer.dilation
        first = skip_init(nn.Conv2d, layer.in_channels, K, *how, bias=False)
        last = skip_init(nn.Conv2d, K, layer.out_channels, 1, bias=bias)
    pair = nn.Sequential(first, last).to(layer.weight)
    first.weight.copy_(V.view_as(first.weight))
    last.weight.copy_(U.view_as(last.weight))
    if bias:
        last.bias.copy_(layer.bias)
    pair.requires_grad_(layer.weight.requires_grad)
    return pair.train(layer.training)

"""Weight sharing: the weights of a layer take few different values, and are stored as indices into a codebook of them.

k-means looks for the k centres c and the index I_i of each weight with the smallest

    sum_i (w_i - c[I_i])^2 :

each weight takes the nearest centre, each centre moves to the mean of its weights, and again. From then on the network
computes with c[I_i], and only the centres are trained. A centre's gradient is the sum of those of its weights,

    dL/dc_k = sum of dL/dw_i over the weights with I_i = k.

What pruning has set to zero stays zero, and takes no centre. Han, Mao and Dally 2016, "Deep Compression"
(arXiv:1510.00149); k-means: Lloyd 1982, "Least squares quantization in PCM".
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from .. import checks
from .pruning import prunable, without_masks
from .report import Report, reported

MOST = 256  # centres, so that an index fits into a byte
STEPS = 10_000  # of k-means, which ends by itself long before


def kmeans(values, k):
    """The centres of at most k clusters of the values (n,), in ascending order, float64; an empty cluster has none.
    Where there are no more than k different values, these are the centres.

    They start evenly spaced from the smallest value to the largest, so that the few large weights, which matter, get
    centres of their own. The values are sorted first: a cluster is then a stretch of them, and its mean a difference
    of two running sums. Raises ValueError where there are no values, or some are not finite.
    """
    k = checks.whole("k", k, least=1)
    checks.require(values.numel() > 0, "values is empty: there is nothing to share")
    checks.finite(values=values)
    x = values.detach().flatten().cpu().double().sort().values
    if len(different := x.unique()) <= k:
        return different
    sums = F.pad(x.cumsum(0), (1, 0))
    centres = torch.linspace(x[0], x[-1], k).to(x)
    for _ in range(STEPS):
        middle = (centres[1:] + centres[:-1]) / 2
        ends = F.pad(torch.searchsorted(x, middle), (1, 1))
        ends[-1] = len(x)
        n, before = ends.diff(), centres
        centres = torch.where(n > 0, sums[ends].diff() / n, centres)
        if torch.equal(centres, before):
            break
    return centres[n > 0]


def nearest(values, centres):
    """The index of the nearest of the ascending centres for each value, int64, of the shape of the values."""
    return torch.bucketize(values, (centres[1:] + centres[:-1]) / 2)


def looked_up(codebook, index):
    """The weights that an index of the codebook stands for: entry I - 1, and zero where I is 0.

    codebook: (k,). index: int64, from 0 to k, of the shape of the weights, which are returned.
    """
    return F.pad(codebook, (1, 0))[index]


class SharedLinear(nn.Linear):
    """A linear layer with a codebook and an index for each weight."""

    @property
    def weight(self):
        return looked_up(self.codebook, self.index)


class SharedConv2d(nn.Conv2d):
    """A convolution with a codebook and an index for each weight."""

    @property
    def weight(self):
        return looked_up(self.codebook, self.index)


SHARED = {nn.Linear: SharedLinear, nn.Conv2d: SharedConv2d}
PLAIN = {shared: plain for plain, shared in SHARED.items()}


def share(model, clusters):
    """A copy of `model` in which the weights of every linear and convolutional layer share a few values.

    clusters: how many in each layer, 1 to 256; or a dictionary from the name of a layer to its number, layers not
    named stay as they are. A weight that is zero stays zero, whatever trains the network, and counts for no cluster.
    Of what is shared, training moves the centres only. Biases and batch norm stay as they are.

    The network's `.report` tells how many values each layer had, and has. Raises ValueError where nothing would change,
    where clusters is out of range, and for layers that hold nothing but zeros, share their weights, or compute them.

    >>> from lllcourse.models import MLP
    >>> print(share(MLP(4, 5, 2), 3).report)
    values: 6 of 30 left
      layers.0: 3 of 20
      layers.1: 3 of 10
    """
    new = without_masks(model)
    layers, sizes = prunable(new), {}
    if not isinstance(clusters, dict):
        clusters = dict.fromkeys(layers, clusters)
    for name, k in clusters.items():
        checks.require(
            name in layers,
            f"clusters names {name!r}; the layers are {list(layers)}",
        )
        k = checks.whole("clusters", k, least=1)
        checks.require(
            k <= MOST, f"clusters is {k}; it may be {MOST}, for an index of a byte"
        )
        weight = layers[name].weight.detach()
        values = weight[weight != 0]
        checks.require(
            len(values) > 0, f"{name} has no weight but zeros: nothing to share"
        )
        centres = kmeans(values, k).to(weight)
        sizes[name] = [len(values.unique()), len(centres)]
        index = torch.where(weight != 0, nearest(weight, centres) + 1, 0)
        attach(layers[name], centres, index)
    return reported(new, Report("values", sizes))


def attach(layer, codebook, index):
    """Make a layer compute with this codebook, its new parameter, and these indices, in place."""
    trained = layer.weight.requires_grad
    del layer.weight
    layer.__class__ = SHARED[type(layer)]
    layer.codebook = nn.Parameter(codebook, requires_grad=trained)
    layer.register_buffer("index", index)


def shared_layers(model):
    """The layers with a codebook, by name."""
    return {n: layer for n, layer in model.named_modules() if type(layer) in PLAIN}


def without_sharing(model):
    """A copy of `model` as a plain network: each weight is a number of its own again, which training would move."""
    plain = copy.deepcopy(model)
    for layer in shared_layers(plain).values():
        weight = nn.Parameter(
            layer.weight.detach(), requires_grad=layer.codebook.requires_grad
        )
        bias = layer._parameters.pop("bias")
        del layer.codebook, layer.index
        layer.__class__ = PLAIN[type(layer)]
        layer.weight = weight
        layer.register_parameter("bias", bias)  # behind the weight, as it was
    return plain

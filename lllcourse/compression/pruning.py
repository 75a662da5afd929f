"""Magnitude pruning: the weights that are nearest to zero are set to zero, and stay there.

Of n weights with scores s (their absolute values, or how much the loss depends on them), a sparsity of p keeps the
round((1 - p) n) largest:

    w_i <- m_i w_i,    m_i = 1 if s_i is among the largest, else 0.

Over the whole network at once (global) or layer by layer. In one step or in several, trained in between, which lets the
rest make up for what is missing (LeCun, Denker and Solla 1989, "Optimal brain damage"; Han et al. 2015,
arXiv:1506.02626). The network keeps its shape: nothing gets smaller or faster by it alone.
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import is_parametrized

from .. import checks, masks
from .report import Report, reported


class MaskedLinear(nn.Linear):
    """A linear layer with a mask: whatever trains the network, what is masked stays zero."""

    def forward(self, x):
        return F.linear(x, torch.where(self.mask, self.weight, 0), self.bias)


class MaskedConv2d(nn.Conv2d):
    """A convolution with a mask: whatever trains the network, what is masked stays zero."""

    def forward(self, x):
        weight = torch.where(self.mask, self.weight, 0)
        return self._conv_forward(x, weight, self.bias)


MASKED = {nn.Linear: MaskedLinear, nn.Conv2d: MaskedConv2d}
PLAIN = {masked: plain for plain, masked in MASKED.items()}


def mask_of(scores, sparsity, per_layer=False, candidates=None):
    """A boolean mask for each tensor of scores: True for the round((1 - sparsity) n) largest, the first ones of equals.

    scores: 0 or more, a list. per_layer: n counts each tensor by itself, instead of all together.
    candidates: boolean masks; what is False there is counted, and never kept.
    """
    every = [torch.ones_like(s, dtype=torch.bool) for s in scores]
    candidates = candidates or every
    if per_layer:
        pairs = zip(scores, candidates, strict=True)
        return [largest(s, c, sparsity) for s, c in pairs]
    flat = torch.cat([s.flatten() for s in scores])
    open_ = torch.cat([c.flatten() for c in candidates])
    kept = largest(flat, open_, sparsity).split([s.numel() for s in scores])
    return [m.view_as(s) for m, s in zip(kept, scores, strict=True)]


def largest(scores, candidates, sparsity):
    keep = round((1 - sparsity) * scores.numel())
    share = keep / max(1, int(candidates.sum()))
    return masks.largest(scores, candidates, min(1, share))


def prune(model, sparsity, scores=None, *, per_layer=False):
    """A copy of `model` in which a share of the weights is zero, and stays zero in training.

    sparsity: the share, in [0, 1), of the weights of all linear and convolutional layers; zeros of an earlier pruning
    count, biases and batch norm are left alone. scores: a tensor for each parameter, in the order of
    `model.parameters()` as importances are, 0 or more; absolute values if not given. The smallest go.
    per_layer: the same share of every layer, instead of the smallest of the whole network.

    The network's `.report` tells how many are left in each layer. Raises ValueError where nothing would change, where
    sparsity is out of range, and where a layer would lose all its weights.

    >>> from lllcourse.models import MLP
    >>> print(prune(MLP(4, 5, 2), 0.5).report)
    weights: 15 of 30 left
      layers.0: 8 of 20
      layers.1: 7 of 10
    """
    checks.require(
        0 <= sparsity < 1,
        f"sparsity is {sparsity}; it must be a share from 0 on and below 1",
    )
    layers = prunable(model)
    if scores is None:
        scores = [layer.weight.detach().abs() for layer in layers.values()]
    else:
        named = by_name(model, scores)
        scores = [named[f"{n}.weight" if n else "weight"] for n in layers]
    before = mask_in(model)
    after = mask_of(scores, sparsity, per_layer, list(before.values()))
    return masked(model, dict(zip(layers, after, strict=True)))


def masked(model, masks):
    """A copy of `model` with these masks: boolean tensors by the names of the layers whose weights they are for.

    What an earlier mask has set to zero stays zero. Raises ValueError as `prune` does.
    """
    before, new, sizes = mask_in(model), copy.deepcopy(model), {}
    for name, mask in masks.items():
        checks.require(
            name in before and mask.shape == before[name].shape,
            f"no layer {name!r} with weights of shape {tuple(mask.shape)}; there are "
            f"{ {n: tuple(m.shape) for n, m in before.items()} }",
        )
        mask = mask & before[name]
        sizes[name] = [int(before[name].sum()), int(mask.sum())]
        checks.require(
            sizes[name][1] > 0,
            f"{name} would lose all its weights, and nothing would pass through it: take a smaller sparsity, or "
            "per_layer=True",
        )
        attach(new.get_submodule(name), mask)
    return reported(new, Report("weights", sizes))


def iterate(model, sparsities, fine_tune, scores=None, *, per_layer=False):
    """The loop of pruning: for each of the rising `sparsities` prune, then train what is left. Returns a new network.

    fine_tune: `fine_tune(model)` trains a network in place. scores: `scores(model)`, measured anew before each pruning.
    """
    for sparsity in sparsities:
        given = None if scores is None else scores(model)
        model = prune(model, sparsity, given, per_layer=per_layer)
        fine_tune(model)
    return model


@torch.no_grad()
def attach(layer, mask):
    """Give a layer its mask, in place. The masked weights are zero, and so are their gradients from now on: zero is
    what gradient descent leaves them, with momentum, weight decay or Adam.
    """
    layer.weight.copy_(torch.where(mask, layer.weight, 0))
    if type(layer) in MASKED:
        layer.__class__ = MASKED[type(layer)]
    layer.register_buffer("mask", mask)


def without_masks(model):
    """A copy of `model` as a plain network: what was masked is an ordinary zero, which further training would move."""
    plain = copy.deepcopy(model)
    for layer in plain.modules():
        if type(layer) in PLAIN:
            layer.__class__ = PLAIN[type(layer)]
            del layer.mask
    return plain


def mask_in(model):
    """The masks that the network has, by name of the layer; all True where it has none."""
    return {
        name: getattr(
            layer, "mask", torch.ones_like(layer.weight, dtype=torch.bool)
        )
        for name, layer in prunable(model).items()
    }


def prunable(model):
    """The layers whose weights can be masked, by name: linear and convolutional ones, each with weights of its own.

    Raises ValueError where there is none, or where weights are shared or computed from others.
    """
    every = dict(model.named_modules())
    layers = {n: m for n, m in every.items() if type(m) in (*MASKED, *PLAIN)}
    checks.require(
        len(layers) > 0, "the network has no linear or convolutional layer to prune"
    )
    for name, layer in every.items():
        checks.require(
            not is_parametrized(layer),
            f"the weights of {name} are computed from others (weight norm, say), and cannot be set to zero",
        )
    owners = [p for _, p in model.named_parameters(remove_duplicate=False)]
    shared = {id(p) for p in owners if sum(p is q for q in owners) > 1}
    for name, layer in layers.items():
        checks.require(
            id(layer.weight) not in shared,
            f"{name} shares its weight with another layer, for which a mask on it would not hold",
        )
    return layers


def by_name(model, scores):
    """Scores of all parameters as a dictionary by their names; ValueError where they do not fit, or are no scores."""
    parameters = dict(model.named_parameters())
    scores = [s.detach() for s in scores]
    shapes = [tuple(s.shape) for s in scores]
    wanted = [tuple(p.shape) for p in parameters.values()]
    checks.require(
        shapes == wanted,
        f"scores has the shapes {shapes}; it must have one tensor for each parameter: {wanted}",
    )
    checks.finite(**{f"scores[{i}]": s for i, s in enumerate(scores)})
    checks.require(
        all((s >= 0).all() for s in scores if not s.is_meta),
        "scores has values below 0; they say how much a weight matters, from 0 on",
    )
    return dict(zip(parameters, scores, strict=True))

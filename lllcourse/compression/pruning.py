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
from torch.nn.utils import parametrize

from .. import checks, masks
from .report import Report, reported


class Mask(nn.Module):
    """The weights times a mask: whatever trains the network, what is masked stays zero."""

    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weight):
        # not a product: 0 * inf would be no number
        return torch.where(self.mask, weight, 0)


def mask_of(scores, sparsity, per_layer=False, candidates=None):
    """One boolean mask for each tensor of scores: True for the round((1 - sparsity) n) largest, the first ones of equals.

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
        scores = of_weights(model, layers, scores)
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
        layer = new.get_submodule(name)
        if parametrize.is_parametrized(layer):
            layer.parametrizations.weight[0].mask = mask
        else:
            parametrize.register_parametrization(layer, "weight", Mask(mask))
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


def prunable(model):
    """The layers whose weights can be masked, by name: linear and convolutional ones, each with weights of its own.

    Raises ValueError where there is none, or where weights are shared or computed from others.
    """
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    layers = {n: m for n, m in model.named_modules() if isinstance(m, kinds)}
    checks.require(
        len(layers) > 0, "the network has no linear or convolutional layer to prune"
    )
    owners = [n for n, _ in model.named_parameters(remove_duplicate=False)]
    checks.require(
        len(owners) == len(list(model.parameters())),
        "two layers of the network share a weight; a mask on one of them would not hold for the other",
    )
    for name, layer in layers.items():
        computed = parametrize.is_parametrized(layer) and not masks_only(layer)
        checks.require(
            not computed,
            f"the weights of {name} are computed from others (weight norm, say), and cannot be set to zero",
        )
    return layers


def masks_only(layer):
    steps = getattr(layer.parametrizations, "weight", [])
    others = set(layer.parametrizations) - {"weight"}
    return not others and len(steps) == 1 and isinstance(steps[0], Mask)


def mask_in(model):
    """The masks that the network has, by name of the layer; all True where it has none."""
    return {
        name: layer.parametrizations.weight[0].mask
        if parametrize.is_parametrized(layer)
        else torch.ones_like(layer.weight, dtype=torch.bool)
        for name, layer in prunable(model).items()
    }


def without_masks(model):
    """A copy of `model` as a plain network: what was masked is an ordinary zero, which further training would move."""
    plain = copy.deepcopy(model)
    for layer in prunable(plain).values():
        if parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight")
    return plain


def of_weights(model, layers, scores):
    """Of the scores of all parameters those of the layers' weights."""
    parameters = dict(model.named_parameters())
    scores = dict(zip(parameters, checked(parameters, scores), strict=True))
    ends = {n: "weight" for n in layers} | {
        n: "parametrizations.weight.original"
        for n, layer in layers.items()
        if parametrize.is_parametrized(layer)
    }
    return [scores[f"{n}.{end}" if n else end] for n, end in ends.items()]


def checked(parameters, scores):
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
    return scores

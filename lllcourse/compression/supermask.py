"""Supermasks: a network that is trained by choosing among random weights, and never changes one.

Every weight has a score. The network computes with those whose score is positive,

    w_i = [s_i > 0] * theta_i,        dL/ds_i = dL/dw_i * theta_i,

and only scores are trained. The gradient passes through the step [s > 0] as if it were not there (straight through,
Bengio et al. 2013, arXiv:1308.3432).

Zhou et al. 2019, "Deconstructing lottery tickets" (arXiv:1905.01067), who draw the mask at random from sigmoid(s);
Ramanujan et al. 2020, "What's hidden in a randomly weighted neural network?" (arXiv:1911.13299), who keep a fixed share
of the largest scores.
"""

import copy

import torch
from torch import nn
from torch.nn.utils import parametrize

from .. import checks
from ..masks import straight_through
from .pruning import mask_in, masked, prunable
from .tickets import apart

SCORE = 0.1  # scores start within +-SCORE: about half of the weights are chosen


def chosen(theta, score):
    """The weights that a network computes with: theta where the score is positive, else 0. The gradient of the loss
    reaches the score, never theta.
    """
    return straight_through(score) * theta.detach()


class Scored(nn.Module):
    """A score for every weight of a layer, in place of the weight the layer's only parameter to train."""

    def __init__(self, score):
        super().__init__()
        self.score = nn.Parameter(score)

    def forward(self, theta):
        return chosen(theta, self.score)


@torch.no_grad()
def signed_constants(model, share=0.5):
    """A copy of `model` in which every weight of a layer is +a or -a, by its sign: a = sqrt(2 / (share * inputs)).

    With this a, activations keep their size from layer to layer when a `share` of the weights, above 0, is chosen (He
    et al. 2015, arXiv:1502.01852, with share * inputs for inputs).
    """
    checks.require(
        0 < share <= 1, f"share is {share}; it must be above 0 and at most 1"
    )
    new = copy.deepcopy(model)
    for layer in prunable(new).values():
        a = (2 / (share * layer.weight[0].numel())) ** 0.5
        layer.weight.copy_(a * layer.weight.sign())
    return new


def learn_mask(model, train, *, seed=0):
    """A copy of `model` with masks that were learned, and with its own weights: none of them is changed.

    train: `train(model)` trains a network in place; what it moves are the scores. They start at random, by `seed`.
    Statistics of batch norm are those of the training. The network's `.report` tells how many weights were chosen.
    Raises ValueError for a network with masks, and where all weights or, of some layer, none was chosen.
    """
    searching = scored(model, seed=seed)
    train(searching)
    masks = {}
    for name, layer in layers(searching).items():
        masks[name] = layer.parametrizations.weight[0].score.detach() > 0
        parametrize.remove_parametrizations(
            layer, "weight", leave_parametrized=False
        )
    for p, own in zip(searching.parameters(), model.parameters(), strict=True):
        p.requires_grad_(own.requires_grad)
    return masked(searching, masks)


def scored(model, *, seed=0):
    """A copy of `model` in which nothing but a score for each weight can be trained."""
    checks.require(
        all(m.all() for m in mask_in(model).values()),
        "model has masks already; give the network as it was before it was pruned",
    )
    new, generator = copy.deepcopy(model), apart(seed)
    new.requires_grad_(False)
    for layer in prunable(new).values():
        score = torch.empty(layer.weight.shape)
        score.uniform_(-SCORE, SCORE, generator=generator)
        score = Scored(score.to(layer.weight))
        parametrize.register_parametrization(layer, "weight", score)
    return new


def layers(searching):
    """The layers with scores, by name."""
    return {
        name: layer
        for name, layer in searching.named_modules()
        if parametrize.is_parametrized(layer)
    }

"""Boolean masks over weights: which of them to keep, and how a mask is learned."""

import torch


def largest(weight, candidates, keep):
    """The mask of the round(keep * n) largest, in absolute value, of the n candidates; the first ones of equals.

    weight: a tensor. candidates: a boolean mask of its shape, as is what is returned.
    """
    size = torch.where(candidates, weight.abs(), -1).flatten()
    rank = size.argsort(descending=True, stable=True).argsort()
    return (rank < (keep * candidates.sum().double()).round()).view_as(weight)


def straight_through(score):
    """[score > 0] as numbers, 1 or 0, whose gradient with respect to the score is 1 (Bengio et al. 2013, 1308.3432)."""
    return (score > 0).to(score.dtype) + (score - score.detach())

"""Lottery tickets: a pruned network that starts again from the initial weights that it had.

A mask m is found by training a network from theta_0 and pruning it. The winning ticket is the sparse network

    theta = m * theta_0,

which is then trained alone. What made it win is asked by starting with other weights under the same mask: new ones, new
ones with the old signs, old ones with new signs, one constant with the old signs. Starting from the weights of an early
step of training instead of theta_0 is called rewinding, and needs no other code.

Frankle and Carbin 2019, "The lottery ticket hypothesis" (arXiv:1803.03635); Zhou et al. 2019, "Deconstructing lottery
tickets" (arXiv:1905.01067); rewinding: Frankle et al. 2020, "Linear mode connectivity and the lottery ticket
hypothesis" (arXiv:1912.05671).
"""

import copy

import torch

from .. import checks
from .pruning import mask_in, masked, prunable, prune

#: The weights that a layer starts with: `old` are its initial ones, `new` were drawn anew as those were.
RESTARTS = {
    "ticket": lambda old, new: old,
    "random": lambda old, new: new,
    "signs": lambda old, new: new.abs() * old.sign(),
    "magnitudes": lambda old, new: old.abs() * new.sign(),
    "constant": lambda old, new: old.std() * old.sign(),
    "constant, new signs": lambda old, new: old.std() * new.sign(),
}


def restart(pruned, initial, kind="ticket", *, seed=0):
    """A new network with the masks of `pruned` and weights that start as `kind` says.

    initial: the network from which `pruned` was trained, as it was before; or, to rewind, as it was after some steps.
    kind: one of RESTARTS. seed: of new weights. Biases and batch norm are those of `initial` whatever the kind is.

    Raises ValueError where the two are not of one shape, where `initial` is masked, and where `pruned` is not.
    """
    masks = mask_in(pruned)
    shapes = [{n: tuple(m.shape) for n, m in masks.items()}]
    shapes += [{n: tuple(m.shape) for n, m in mask_in(initial).items()}]
    checks.require(
        shapes[0] == shapes[1],
        f"initial has layers of the shapes {shapes[1]}, the masks of pruned are {shapes[0]}; give the network from "
        "which pruned was trained",
    )
    checks.require(
        not all(m.all() for m in masks.values()),
        "pruned has no mask, so every weight would start again: prune it first, pruning.prune(trained, sparsity)",
    )
    return masked(with_weights(initial, kind, seed=seed), masks)


@torch.no_grad()
def with_weights(initial, kind, *, seed=0):
    """A copy of `initial` with the weights that `kind`, one of RESTARTS, gives its linear and convolutional layers."""
    checks.one_of("kind", kind, RESTARTS)
    checks.require(
        all(m.all() for m in mask_in(initial).values()),
        "initial has masks; give the network as it was before it was pruned",
    )
    generator, new = apart(seed), copy.deepcopy(initial)
    for layer in prunable(new).values():
        old = layer.weight
        layer.weight.copy_(RESTARTS[kind](old, redrawn(old, generator)))
    return new


def apart(seed):
    """A generator for draws beside those of a network: from the plain seed its first layer would come out once more."""
    return checks.generator(checks.whole("seed", seed) + 1_000_003)


def redrawn(weight, generator):
    """New weights as the course's networks draw them: uniform in +-1/sqrt(inputs of a unit). See `models.draw`."""
    bound = weight[0].numel() ** -0.5
    drawn = torch.empty(weight.shape).uniform_(-bound, bound, generator=generator)
    return drawn.to(weight)


def rounds(initial, trained, sparsities, train):
    """Iterative magnitude pruning: prune, go back to the initial weights, train, and again, ever sparser.

    trained: what `initial` became by the same training. sparsities: rising, as for `prune`.
    train: `train(model)` trains a network in place.
    Yields for each sparsity the ticket as it starts, and the same ticket trained.
    """
    for sparsity in sparsities:
        ticket = restart(prune(trained, sparsity), initial)
        trained = copy.deepcopy(ticket)
        train(trained)
        yield ticket, trained

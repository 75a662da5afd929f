"""A budget in bytes: prune as little as the file allows.

    find n with  bytes(code(share(the n largest weights)))  just below the limit

What the file takes is known before anything is trained: where the weights stand follows from the mask, which training
does not move, and which values stand there changes the size little. A weight's place costs more bytes the fewer there
are, so n <- n * limit / bytes(n), without what is no weight on both sides, comes down to the n that fits.

The stages are those of Han, Mao and Dally 2016, "Deep Compression" (arXiv:1510.00149). `train` may teach the network as
well (Hinton, Vinyals and Dean 2015, arXiv:1503.02531): `distillation.taught`.
"""

import copy

from .. import checks
from .clustering import share
from .deep_compression import code
from .pruning import mask_in, prune

ROOM = 0.97  # of the limit: what training the centres may add
STEP = 0.995  # a little more than is needed, so that the search ends
ALL = 1 - 1e-9  # of the weights, which no network can lose


def pruned_to(model, limit, clusters, *, few=8):
    """A copy of `model` pruned by magnitude, as little as it takes for its file to have `limit` bytes at most.

    The file is that of `code(share(model, clusters), few=few)`, as the weights stand. The network's `.report` tells how
    many are left in each layer. Raises ValueError where it fits as it is, and where nothing fits.
    """
    layers = {name: mask.numel() for name, mask in mask_in(model).items()}
    n = sum(int(mask.sum()) for mask in mask_in(model).values())
    now, rest = sizes(model, clusters, few)
    checks.require(
        now > limit,
        f"limit is {limit:,.0f} bytes, and the network fits with {now:,} as it is: give a smaller one",
    )
    while now > limit:
        n = int(n * STEP * (limit - rest) / (now - rest))
        sparsity = 1 - n / sum(layers.values())
        try:
            smaller = prune(model, min(sparsity, ALL))
        except ValueError:
            raise ValueError(
                f"limit is {limit:,.0f} bytes, too few for the layers {layers}, one of which would lose all its "
                f"weights, and for what else there is, {rest:,} bytes: give a larger one, or a smaller network"
            ) from None
        now, rest = sizes(smaller, clusters, few)
    return smaller


def pruned_within(model, limit, sparsities, clusters, train, *, few=8):
    """A network pruned and trained so that, with its weights shared, its file will have `limit` bytes at most.

    sparsities: rising shares of zeros on the way to what fits; those beyond it are left out. train: `train(model)`
    after every step, the last one included. What fits as it is, is only trained. Raises ValueError as `pruned_to`.
    """
    far = zeros(fitting(model, ROOM * limit, clusters, few))
    for sparsity in sparsities:
        if sparsity < far:
            model = prune(model, sparsity)
            train(model)
    model = fitting(model, ROOM * limit, clusters, few)
    train(model)
    # training may have made it larger
    return fitting(model, ROOM * limit, clusters, few)


def zeros(model):
    """The share of the weights that a mask sets to zero."""
    masks = mask_in(model).values()
    return 1 - sum(int(m.sum()) for m in masks) / sum(m.numel() for m in masks)


def fitting(model, limit, clusters, few):
    """A copy of `model` that is pruned where it has to be."""
    fits = sizes(model, clusters, few)[0] <= limit
    return (
        copy.deepcopy(model) if fits else pruned_to(model, limit, clusters, few=few)
    )


def within(model, limit, sparsities, clusters, train, tune, *, few=8):
    """`model` as a `Compressed` of at most `limit` bytes: pruned, trained, shared, tuned and coded. It is not changed.

    limit, sparsities, train: as for `pruned_within`. tune: `tune(model)` trains the centres.
    clusters, few: how many values a layer, and a bias or a norm, may have.
    Raises ValueError as `pruned_within` and `share` do.
    """
    pruned = pruned_within(model, limit, sparsities, clusters, train, few=few)
    shared = share(pruned, clusters)
    tune(shared)
    result = code(shared, few=few)
    checks.require(
        result.bytes <= limit,
        f"limit is {limit:,}, and with trained centres the file takes {result.bytes:,}: take fewer clusters",
    )
    return result


def sizes(model, clusters, few=8):
    """The bytes of the file of a network as it stands: all of them, and those that are not its layers' weights."""
    result = code(share(model, clusters), few=few)
    weights = (v.parts for v in result.coded.values() if len(v.shape) > 1)
    coded = (p for p in weights if "codebook" in p)
    return result.bytes, result.bytes - sum(
        len(d) for p in coded for d in p.values()
    )

"""Pruning of units: whole neurons and channels go, so that a smaller network is left, which is faster everywhere.

A unit that is kept costs its row of weights and its columns in the layers that read it; one that goes frees both. What
is left is an ordinary dense network with the same outputs as the large one whose units were set to zero where they are
read:

    remove(model, kept)(x)  =  model(x) with unit k at zero for every k that is not in `kept`.

Which units matter least is guessed from their weights (Li et al. 2017, "Pruning filters for efficient ConvNets",
arXiv:1608.08710), from how often they are not zero (Hu et al. 2016, "Network trimming", arXiv:1607.03250), or from any
scores of the weights.
"""

import copy

import torch
from torch import fx, nn

from .. import checks
from ..training import device_of, evaluating
from . import units
from .pruning import by_name
from .report import Report, reported


def prune_units(model, x, keep, scores=None):
    """A new, smaller network: `model` without the units that score least; evaluated, not trained any further.

    x: some examples, (n, ...); with them the units are followed through the network.
    keep: the share that is kept of each group of units that hang together, above 0 and at most 1 (at least one unit);
    or a dictionary from the name of a group (`units.find` tells it) to how many are kept, groups not named stay.
    scores: one tensor (units,) for each group; `unit_norms(model, x)` if not given. Of equal units the first stay.

    The network's `.report` tells what went. Raises ValueError where nothing would change, where keep is out of range,
    and for a network whose units cannot be followed.
    """
    found = units.find(model, x)
    checks.require(
        len(found) > 0,
        "the network has no units that could go: it has no hidden layer",
    )
    scores = unit_norms(model, x) if scores is None else list(scores)
    shapes = [tuple(s.shape) for s in scores]
    checks.require(
        shapes == [(u.count,) for u in found],
        f"scores has the shapes {shapes}; it must have one for each unit of every group: {[u.count for u in found]}",
    )
    checks.finite(**{f"scores[{i}]": s for i, s in enumerate(scores)})
    kept = {
        u.name: score.argsort(descending=True, stable=True)[:n].sort().values
        for u, score, n in zip(found, scores, how_many(found, keep), strict=True)
    }
    return remove(model, x, kept)


def how_many(found, keep):
    """For each group of units the number that is kept."""
    if isinstance(keep, dict):
        names = [u.name for u in found]
        checks.require(
            set(keep) <= set(names),
            f"keep names {sorted(set(keep) - set(names))}; the groups are {names}",
        )
        numbers = [
            checks.whole("keep", keep.get(u.name, u.count), 1) for u in found
        ]
        for u, n in zip(found, numbers, strict=True):
            checks.require(
                n <= u.count,
                f"keep is {n} for {u.name!r}, which has {u.count} units",
            )
        return numbers
    checks.require(
        0 < keep <= 1,
        f"keep is {keep}; it must be a share above 0 and at most 1: a layer without units passes nothing on",
    )
    return [max(1, round(keep * u.count)) for u in found]


def remove(model, x, kept):
    """A copy of `model` in which of each group that `kept` names only these units are left.

    kept: a dictionary from the name of a group to the indices of its units, (m,), in ascending order.
    """
    found = {u.name: u for u in units.find(model, x)}
    small = copy.deepcopy(model)
    for name, index in kept.items():
        group = found[name]
        for layer in map(small.get_submodule, group.made):
            cut(layer, 0, index)
        for norm in map(small.get_submodule, group.norms):
            cut(norm, 0, index)
        for reader, places in group.read.items():
            columns = index[:, None] * places + torch.arange(places).to(index)
            cut(small.get_submodule(reader), 1, columns.flatten())
    sizes = {n: [found[n].count, len(i)] for n, i in kept.items()}
    return reported(small, Report("units", sizes))


SIZES = {  # where a layer keeps its numbers of outputs and inputs
    nn.Linear: ("out_features", "in_features"),
    nn.Conv2d: ("out_channels", "in_channels"),
    nn.BatchNorm1d: ("num_features",),
    nn.BatchNorm2d: ("num_features",),
}


@torch.no_grad()
def cut(layer, dimension, index):
    """Keep of a layer only these outputs (dimension 0) or inputs (dimension 1), in place."""
    for name, old in [*layer.named_parameters(), *layer.named_buffers()]:
        if old.ndim > dimension:
            new = old.index_select(dimension, index.to(old.device)).clone()
            put(layer, name, new)


def put(layer, name, new):
    """Replace a parameter or buffer by one of another shape, and tell the layer its new sizes."""
    old = getattr(layer, name)
    if isinstance(old, nn.Parameter):
        new = nn.Parameter(new, requires_grad=old.requires_grad)
    setattr(layer, name, new)
    if name == "weight":
        for size, number in zip(SIZES[type(layer)], new.shape, strict=False):
            setattr(layer, size, number)


# --- which units matter ----------------------------------------------------------------


@torch.no_grad()
def unit_norms(model, x):
    """For each group of units the mean absolute weight that makes each of them, (units,): a filter's l1 norm, scaled.

    Where several layers make a unit together, all their weights count.
    """
    return [
        sum_of_rows(u, [model.get_submodule(n).weight.abs() for n in u.made])
        for u in units.find(model, x)
    ]


def sum_of_rows(group, weights):
    rows = torch.stack([w.flatten(1).sum(1) for w in weights])
    return rows.sum(0) / sum(w[0].numel() for w in weights)


def unit_scores(model, x, scores):
    """For each group of units the mean of the scores of the weights that make each of them, (units,).

    scores: one tensor for each parameter, in the order of `model.parameters()`, the b_i of Part I for instance.
    """
    named = by_name(model, scores)
    return [
        sum_of_rows(u, [named[f"{n}.weight"] for n in u.made])
        for u in units.find(model, x)
    ]


@torch.no_grad()
def activity(model, x):
    """For each group of units how often each of them is not zero where it is read, on the examples x: (units,) shares.

    Of a channel every place counts, and every layer that reads it.
    """
    graph, shapes = units.traced(model, x)
    found = units.Walk(model, graph, shapes).units()
    names = {spot.name: None for u in found for spot in u.spots}

    class Watch(fx.Interpreter):
        def run_node(self, node):
            value = super().run_node(node)
            if node.name in names:
                names[node.name] = (value != 0).transpose(0, 1).flatten(1)
            return value

    with evaluating(graph):
        Watch(graph).run(x.to(device_of(model)))
    shares = []
    for u in found:
        active = [
            names[spot.name].reshape(u.count, -1).double() for spot in u.spots
        ]
        shares.append(torch.cat(active, 1).mean(1))
    return shares

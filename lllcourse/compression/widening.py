"""Widening (Net2Net): a small network that has been trained becomes a wider one that computes the same.

Every new unit j is a copy of an old one, g(j): it has the same weights going in. What the old unit contributed to the
layers that read it is divided among its copies, in shares a_j that add up to 1:

    in'[j] = in[g(j)],        out'[:, j] = a_j out[:, g(j)],        sum of a_j over the copies of a unit = 1.

Chen, Goodfellow and Shlens 2016, "Net2Net: accelerating learning via knowledge transfer" (arXiv:1511.05641), share
evenly and add noise, for copies that share evenly get the same gradient and stay copies for ever. Here the shares are
uneven, which tells the copies apart just as well and keeps the function exactly.
"""

import copy
import math
from dataclasses import dataclass

import torch

from .. import checks
from . import units
from .report import Report
from .structured import cut


@dataclass(frozen=True)
class Wider(Report):
    """layers: from the name of each group of units to how many it had, and how many it has now."""

    def __str__(self):
        lines = [f"units: {self.after:,}, and {self.before:,} before"]
        lines += [
            f"  {n}: {has:,}, and {had:,} before"
            for n, (had, has) in self.layers.items()
        ]
        return "\n".join(lines)


def copied(count, n, generator):
    """Which old unit each of n is a copy of, (n,): every old one once, in its order, then some drawn at random."""
    more = torch.randint(count, (n - count,), generator=generator)
    return torch.cat([torch.arange(count), more])


def shared(g, count, generator=None):
    """The share of each copy in what its unit contributes, (n,), float64: those of one unit add up to 1.

    generator: draws how uneven they are; even ones if not given.
    """
    part = torch.ones(len(g), dtype=torch.float64)
    if generator is not None:
        part = part.uniform_(0.5, 1.5, generator=generator)
    total = torch.zeros(count, dtype=torch.float64).index_add(0, g, part)
    return part / total[g]


@torch.no_grad()
def widen(model, x, units_after, *, even=False, seed=0):
    """A new, wider network with the outputs of `model`: exactly, but for rounding.

    x: some examples, (n, ...); with them the units are followed through the network.
    units_after: how many units each group shall have: a dictionary from its name (`units.find` tells it) to a number,
    groups not named stay; or a factor, 1 or more, for all groups.
    even: share evenly among copies, which training can then never tell apart. seed: of the copies and the shares.

    The network's `.report` tells what it had. Raises ValueError where it would get fewer units, or no more than it has.
    """
    found, wide = units.find(model, x), copy.deepcopy(model)
    generator, sizes = checks.generator(seed), {}
    for group, n in zip(found, how_many(found, units_after), strict=True):
        g = copied(group.count, n, generator)
        share = shared(g, group.count, None if even else generator)
        for name in (*group.made, *group.norms):
            cut(wide.get_submodule(name), 0, g)
        for reader, places in group.read.items():
            layer = wide.get_submodule(reader)
            columns = g[:, None] * places + torch.arange(places)
            cut(layer, 1, columns.flatten())
            column = share.repeat_interleave(places).to(layer.weight)
            layer.weight.mul_(column.view(-1, *[1] * (layer.weight.ndim - 2)))
        sizes[group.name] = [group.count, n]
    wide.report = Wider("units", sizes)
    return wide


def how_many(found, units_after):
    """For each group of units the number that it shall have."""
    checks.require(
        len(found) > 0,
        "the network has no units to copy: it has no hidden layer",
    )
    had = {u.name: u.count for u in found}
    if isinstance(units_after, dict):
        checks.require(
            set(units_after) <= set(had),
            f"units_after names {sorted(set(units_after) - set(had))}; the groups are {list(had)}",
        )
        numbers = had | units_after
    else:
        checks.require(
            0 < units_after < math.inf,
            f"units_after is {units_after}; it must be a finite factor above 1, or a dictionary from groups to numbers",
        )
        numbers = {n: round(units_after * count) for n, count in had.items()}
    for name, n in numbers.items():
        checks.require(
            checks.whole(f"units_after[{name!r}]", n) >= had[name],
            f"units_after is {n} for {name!r}, which has {had[name]} units; widening only adds some: to remove some, "
            "use structured.prune_units",
        )
    checks.require(
        numbers != had,
        f"units_after adds nothing to {had}; ask for more units, a factor of 2 say",
    )
    return list(numbers.values())

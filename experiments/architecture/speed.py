"""How long convolutions take, by their form and their size: what the count of multiplications promises, and the clock.

Of each number of channels a plain convolution of 3x3 beside the separable one, and its two halves by themselves; then
the networks of blocks beside that of plain convolutions. "kernel" is the operation in which torch spends most of the
time: it chooses another one for other sizes. Ratios of times, measured side by side on one thread; they
depend on the machine, and nobody compares them with another run. Weights do not matter; each "seed" is another round.
"""

import itertools
import platform

import torch
from torch import nn

from lllcourse.compression import footprint
from lllcourse.compression.blocks import BLOCKS, BlockNet
from lllcourse.compression.separable import Separable
from lllcourse.data import digits

from .blocks import SETTINGS as OF_BLOCKS

SEEDS = (0, 1, 2)
TIMES = {"median", "low", "high", "kernel"}  # what no two runs have in common
SETTINGS = {
    "channels": [4, 8, 16, 32, 64, 128],
    "side": 14,
    "batch_sizes": [1, 64],
    "rounds": 5,
    "same": [16, 32],
    "budget": OF_BLOCKS["channels"],
}


def convolutions(channels):
    """The plain convolution, and the separable one with its halves."""
    plain = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    both = Separable(channels, channels, 3, padding=1, bias=False)
    return {"plain": plain, "separable": both, "depthwise": both[0], "pointwise": both[1]}


def run(seed, channels, side, batch_sizes, rounds, same, budget) -> dict:
    """{"convolutions": {channels: {form: {"macs", batch size: ratio and "kernel"}}}, "same" and "budget": {block:
    {batch size: ratio}}}, a ratio as median, lower and upper quartile; and the machine.
    """
    found = {"machine": f"{platform.machine()}, {torch.get_num_threads()} thread", "convolutions": {}}
    for c in channels:
        x, forms = torch.rand(max(batch_sizes), c, side, side), convolutions(c)
        times = measured(forms, x, batch_sizes, rounds)
        for form, n in itertools.product(forms, batch_sizes):
            times[form]["macs"] = footprint.macs(forms[form], x)
            times[form][str(n)]["kernel"] = kernel(forms[form], x[:n])
        found["convolutions"][str(c)] = times
    for which, width in (("same", dict.fromkeys(BLOCKS, same)), ("budget", budget)):
        nets = {name: BlockNet(block, width[name], seed=seed) for name, block in BLOCKS.items()}
        found[which] = measured(nets, digits().test.x, batch_sizes, rounds)
    return found


def measured(models, x, batch_sizes, rounds):
    found = {name: {} for name in models}
    for n in batch_sizes:
        for name, values in footprint.ratios(models, x, n, rounds=rounds).items():
            found[name][str(n)] = dict(zip(("median", "low", "high"), values, strict=True))
    return found


@torch.no_grad()
def kernel(model, x):
    """The operation of torch that takes most of the time."""
    model(x)
    with torch.profiler.profile() as profile:
        model(x)
    return max(profile.key_averages(), key=lambda event: event.self_cpu_time_total).key

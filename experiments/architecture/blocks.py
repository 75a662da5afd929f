"""Networks of the blocks of five small architectures, each as wide as the multiplications of a plain network allow.

All are trained alike, with Adam; the step was chosen for all together on the validation images of seed 10. Widths are
those of `widest`, multiples of four.
"""

from lllcourse import training
from lllcourse.compression import footprint
from lllcourse.compression.blocks import BLOCKS, BlockNet
from lllcourse.data import digits

from ._runs import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "channels": {
        "plain": [8, 16],
        "Fire": [24, 40],
        "Mobile": [20, 24],
        "Xception": [12, 20],
        "Shuffle": [24, 48],
        "Ghost": [28, 32],
    },
    "epochs": 4,
    "calm": 1,  # with a fifth of the step
    "lr": 0.02,
    "batch_size": 64,
}


def run(seed, channels, epochs, calm, lr, batch_size) -> dict:
    """{block: facts, parameters, non-zeros, bytes and MACs}"""
    found = {}
    for name, width in channels.items():
        model = BlockNet(BLOCKS[name], width, seed=seed)
        how = {"optimizer": "adam", "batch_size": batch_size}
        training.train(model, digits().train, epochs=epochs, lr=lr, seed=seed, **how)
        training.train(model, digits().train, epochs=calm, lr=lr / 5, seed=10_000 + seed, **how)
        found[name] = facts(model) | footprint.size(model, digits().test.x)
    return found


def widest(block, budget):
    """The widths (c, d), c <= d <= 2 c, of the network with the most multiplications within the budget."""
    best, most = None, 0
    for c in range(4, 33, 4):
        for d in range(c, 2 * c + 1, 4):
            try:
                macs = footprint.macs(BlockNet(block, (c, d)), digits().test.x)
            except ValueError:  # widths that this block cannot have
                continue
            if most < macs <= budget:
                best, most = [c, d], macs
    return best

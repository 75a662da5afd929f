"""A convolutional network at four widths: one slimmable network, with switchable batch norm and with a shared one,
separate networks, and the first units of a network that was trained at full width only.

The network is the plain one with exits, of which only the last is there. {way: {width: validation and test accuracy}},
"macs": of each width, "bytes": of the files.
"""

from lllcourse.compression.exits import ExitNet, alone
from lllcourse.compression.footprint import macs
from lllcourse.compression.slimmable import Slimmable, all_widths
from lllcourse.compression.storage import written
from lllcourse.data import digits

from ._runs import SEEDS, facts, train

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"widths": [0.25, 0.5, 0.75, 1.0], "channels": [8, 16, 32], "epochs": 3}


def run(seed, widths, channels, epochs) -> dict:
    x, found = digits().train.x, {}

    def net(width=1.0):
        return alone(ExitNet([round(width * c) for c in channels], seed=seed), len(channels) - 1)

    def of_widths(slim):
        return {f"{w:g}": facts(slim.plain(k)) for k, w in enumerate(widths)}

    for way in ("switchable", "shared"):
        slim = Slimmable(net(), x, widths, switchable=way == "switchable")
        train(slim, seed, epochs, all_widths)
        found[way] = of_widths(slim)
        if way == "switchable":
            found["macs"] = {f"{w:g}": macs(slim.plain(k), x) for k, w in enumerate(widths)}
            found["bytes"] = {"slimmable": len(written(slim))}
    separate = {f"{w:g}": net(w) for w in widths}
    for model in separate.values():
        train(model, seed, epochs)
    found["separate"] = {w: facts(model) for w, model in separate.items()}
    found["truncated"] = of_widths(Slimmable(separate["1"], x, widths))
    found["bytes"] |= {w: len(written(model)) for w, model in separate.items()}
    return found

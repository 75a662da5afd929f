"""Binary weights, on many images and on few: real weights beside their signs, each after an equal training.

The network is LeNet-300-100 with batch norm after every layer. Adam's steps were chosen for each kind on the validation
images of seeds 10 and 11; batches, and the order of the images, are those of every network of this seed.
"""

import copy

import torch

from lllcourse import training
from lllcourse.compression.binary import Normed, binarized, clip, renewed
from lllcourse.compression.rounding import rounded
from lllcourse.data import digits

from ._runs import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "sizes": [784, 300, 100, 10],
    "epochs": {"100": 60, "400": 30, "3500": 6},
    "lr": {"real": 0.001, "binary": 0.003, "stochastic": 0.03},
    "stochastic": ["400"],  # the number of images
}


def few(n, seed):
    """n training images, as many of each digit."""
    split = digits().train
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))
    y = split.y[order]
    return split[torch.cat([order[y == digit][: n // 10] for digit in range(10)])]


def train(model, split, epochs, lr, seed):
    """With Adam; in the last fifth of the epochs with a fifth of the step."""
    calm = epochs // 5
    for n, step, order in ((epochs - calm, lr, seed), (calm, lr / 5, seed + 10_000)):
        training.train(model, split, epochs=n, optimizer="adam", lr=step, seed=order, after_step=clip)


def run(seed, sizes, epochs, lr, stochastic) -> dict:
    """{"binary": {images: {kind: facts and "train", the accuracy on its own training images}}}; of the real network the
    "signs" put in place of its weights afterwards, and the same with "new statistics" in batch norm.
    """
    start, found = Normed(*sizes, seed=seed), {}
    for images, n in epochs.items():
        split = few(int(images), seed)
        nets = {"real": copy.deepcopy(start), "binary": binarized(start)}
        if images in stochastic:
            nets["stochastic"] = binarized(start, stochastic=True)
        for kind, net in nets.items():
            train(net, split, n, lr[kind], seed)
        nets["signs"] = rounded(binarized(nets["real"]))
        nets["new statistics"] = renewed(nets["signs"], split.x)
        found[images] = {k: facts(net) | {"train": training.evaluate(net, split)} for k, net in nets.items()}
    return {"binary": found}

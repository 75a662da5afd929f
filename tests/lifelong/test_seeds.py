"""Several seeds: each run is the one that `learn` gives for its seed alone."""

import torch

from lllcourse.lifelong import EWC, learn, learn_seeds
from lllcourse.models import MLP

from .harness import short


def test_every_seed_gives_what_learn_gives_alone():
    settings = {"epochs": 1, "scenario": "domain"}
    together = learn_seeds(lambda: EWC(10), lambda seed: MLP(784, 10, seed=seed), lambda s: short(2, s), [3, 5], **settings)
    for seed, run in zip([3, 5], together, strict=True):
        alone = learn(EWC(10), MLP(784, 10, seed=seed), short(2, seed), seed=seed, **settings)
        assert torch.equal(run.R, alone.R)

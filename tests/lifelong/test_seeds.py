"""Several seeds: each run is the one that `learn` gives for its seed alone."""

import torch

from lllcourse.lifelong import EWC, learn, learn_seeds
from lllcourse.models import MLP

from .harness import short


def test_every_seed_gives_what_learn_gives_alone():
    settings = {"epochs": 1, "scenario": "domain"}
    make = lambda: EWC(10), lambda seed: MLP(784, 10, seed=seed), lambda seed: short(2, seed)
    for seed, run in zip([3, 5], learn_seeds(*make, [3, 5], **settings), strict=True):
        method, model, tasks = make[0](), make[1](seed), make[2](seed)
        alone = learn(method, model, tasks, seed=seed, **settings)
        assert torch.equal(run.R, alone.R)

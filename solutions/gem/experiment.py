"""The graded training run of the assignment `gem`: `python -m grader reference` makes the band of its test from it."""

import torch

from grader.assignment import Experiment
from lllcourse.lifelong import agem, gem


def old_gradients(model, memory):
    return torch.stack([gem.gradient(model, kept.x, kept.y) for kept in memory])


def objections(g, G, tolerance):
    return (gem.products(G, g) < 0).nonzero().flatten()  # the training asks with the tolerance 0


def project_one(g, b, least):
    return agem.project(g, b)  # and with least 0


def pushes(K, s, gamma):
    K, s = K.double(), s.double()
    return gem.solve_dual(K, s + gamma * K.sum(1)) + gamma


EXPERIMENTS = {
    "gem.permuted": Experiment(
        assignment="gem",
        test="test-training",
        reference={
            "old_gradients": old_gradients,
            "objections": objections,
            "project_one": project_one,
            "pushes": pushes,
        },
        constants=("SIZES", "EPOCHS", "BATCH", "LR"),
    )
}

"""The graded training of the assignment `distillation`: `python -m grader reference` makes the band of its test."""

import torch
from torch.nn import functional as F

from grader.assignment import Experiment
from lllcourse.compression.distillation import averaged, soft_labels
from lllcourse.compression.unseen import shift
from lllcourse.losses import distillation


def distillation_loss(z, v, y, T, w):
    soft, labelled = distillation(z, v, T), y >= 0
    hard = F.cross_entropy(z[labelled], y[labelled]) if labelled.any() else 0.0
    return (1 - w) * hard + w * soft


def together(logits, counts, T, how):
    """The package's mean is of teachers that count alike; one who has seen three times as much speaks three times."""
    if how == "logits":
        return torch.tensordot(counts / counts.sum(), logits / T, 1).log_softmax(1)
    return averaged(list(logits.repeat_interleave(counts // 500, 0)), T) / T


def raised_bias(bias, v, u, T, r):
    """The package's shift, for two classes: u, and all the others together."""
    q = soft_labels(v, T)[:, u].mean()
    this, other = shift(torch.stack([q, 1 - q]), torch.tensor([r, 1 - r]), T)
    return bias + (this - other) * torch.eye(len(bias))[u]


EXPERIMENTS = {
    "distillation.unseen": Experiment(
        assignment="distillation",
        test="test-training",
        reference={"distillation_loss": distillation_loss, "together": together, "raised_bias": raised_bias},
        constants=("IMAGES", "EACH", "LABELLED", "SIZES", "STEPS", "LR"),
    )
}

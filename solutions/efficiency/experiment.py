"""The graded training run of the assignment `efficiency`: `python -m grader reference` makes its band from it."""

import torch
from torch.nn import functional as F

from grader.assignment import Experiment
from lllcourse.losses import distillation

EPS = 1e-5  # the notebook's


def joint_loss(outputs, y, alpha):
    *small, large = outputs
    p = large.detach().softmax(1)
    entropy = torch.special.entr(p).sum(1).mean()  # no gradient: it only makes the loss that of the question
    soft = [distillation(z, large, 1.0) + entropy for z in small]
    hard = [F.cross_entropy(z, y) for z in outputs]
    return hard[-1] + sum(torch.lerp(h, s, alpha) for h, s in zip(hard, soft, strict=False))


def slim_layer(x, weight, gain, shift, statistics):
    z = F.linear(x, weight[: len(gain), : x.shape[1]])
    mean, variance = statistics or (z.detach().mean(0), z.detach().var(0, correction=0))
    if statistics is None:
        return F.batch_norm(z, None, None, gain, shift, True, 0.1, EPS).relu(), mean, variance
    return F.batch_norm(z, mean, variance, gain, shift, eps=EPS).relu(), mean, variance


EXPERIMENTS = {
    "efficiency.widths": Experiment(
        assignment="efficiency",
        test="test-training",
        reference={"joint_loss": joint_loss, "slim_layer": slim_layer},
        constants=("WIDTHS", "EPOCHS", "BATCH", "LR", "ALPHA"),
    )
}

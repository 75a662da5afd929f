"""The graded training run of the assignment `pruning`: `python -m grader reference` makes the band of its test."""

import torch
from torch import nn

from grader.assignment import Experiment
from lllcourse import masks
from lllcourse.compression import structured
from lllcourse.compression.tickets import RESTARTS


def kept_indices(weight, keep):
    mask = masks.largest(weight, torch.ones_like(weight, dtype=torch.bool), keep / weight.numel())
    return mask.flatten().nonzero().flatten()


def global_masks(weights, keep, least):
    safe = [masks.largest(w, torch.ones_like(w, dtype=torch.bool), least / w.numel()) for w in weights]
    sizes = [torch.where(s, torch.inf, w.abs()).flatten() for s, w in zip(safe, weights, strict=True)]
    sizes = torch.cat(sizes)
    mask = masks.largest(sizes, torch.ones_like(sizes, dtype=torch.bool), keep / len(sizes))
    parts = mask.split([w.numel() for w in weights])
    return [part.view_as(w) for part, w in zip(parts, weights, strict=True)]


def schedule(total, keep, rounds, shape):
    left = {
        "geometric": lambda r: total * (keep / total) ** (r / rounds),
        "cubic": lambda r: keep + (total - keep) * (1 - r / rounds) ** 3,
    }
    return [round(left[shape](r)) for r in range(1, rounds + 1)]


def masked_step(weight, gradient, velocity, mask, lr, momentum, decay):
    velocity = torch.where(mask, momentum * velocity + gradient + decay * weight, 0)
    return torch.where(mask, weight - lr * velocity, 0), velocity


def restart(initial, mask, noise, kind):
    name = {"ticket": "ticket", "new": "random", "signs": "signs"}[kind]
    inputs = mask.sum(1, keepdim=True).clamp(min=1)
    return torch.where(mask, RESTARTS[name](initial, noise * inputs**-0.5), 0)


def remove_units(w1, b1, w2, b2):
    """Constant units pass on what they say; then those that say nothing or are not read are cut out."""
    first, second = (nn.utils.skip_init(nn.Linear, *w.shape[::-1]) for w in (w1, w2))
    state = {"first": {"weight": w1, "bias": b1}, "second": {"weight": w2, "bias": b2}}
    first.load_state_dict(state["first"])
    second.load_state_dict(state["second"])
    constant = (w1 == 0).all(1)
    said = torch.where(constant, torch.relu(b1), 0)
    kept = (~constant & (w2 != 0).any(0)).nonzero().flatten()
    with torch.no_grad():
        second.bias += w2 @ said
        structured.cut(first, 0, kept)
        structured.cut(second, 1, kept)
    return tuple(p.detach() for layer in (first, second) for p in (layer.weight, layer.bias))


EXPERIMENTS = {
    "pruning.ticket": Experiment(
        assignment="pruning",
        test="test-training",
        reference={
            "kept_indices": kept_indices,
            "global_masks": global_masks,
            "schedule": schedule,
            "masked_step": masked_step,
            "restart": restart,
            "remove_units": remove_units,
        },
        constants=("SIZES", "KEEP", "ROUNDS", "LEAST", "EPOCHS", "BATCH", "LR", "MOMENTUM", "DECAY"),
    )
}

"""A network that training would change in every way, and all that looking at one must leave as it was."""

import copy

import torch
from torch import nn


class Net(nn.Module):
    """Dropout and batch norm, of which one layer was put into evaluation mode by hand."""

    def __init__(self, outputs=3):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.ReLU())
        self.normed, self.head = nn.BatchNorm1d(8).eval(), nn.Linear(8, outputs)

    def features(self, x):
        return self.normed(self.body(x))

    def forward(self, x):
        return self.head(self.features(x))


def state(net):
    return {
        "tensors": copy.deepcopy(net.state_dict()),
        "gradients": [None if p.grad is None else p.grad.clone() for p in net.parameters()],
        "trained": [p.requires_grad for p in net.parameters()],
        "modes": [layer.training for layer in net.modules()],
        "hooks": [len(layer._forward_hooks) for layer in net.modules()],
        "generator": torch.get_rng_state(),
    }


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return all(map(same, a, b)) if isinstance(a, (list, tuple)) else a == b

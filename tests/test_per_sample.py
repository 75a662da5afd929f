"""Sizes of single examples' gradients: the fast way for linear layers against torch.func."""

import torch
from torch import nn

from lllcourse.per_sample import summed_gradients

from .lifelong.harness import some, trained


def test_the_fast_way_and_torch_func_agree():
    model, (x, _) = trained(784, 30, 10), some()
    v = torch.randn(40, 10, generator=torch.Generator().manual_seed(0))
    fast = summed_gradients(model, x, lambda outputs: [v, 2 * v])

    class Wrapped(nn.Module):  # a parameter of its own, which has no gradient, sends it the slow way
        def __init__(self):
            super().__init__()
            self.idle, self.inner = nn.Parameter(torch.zeros(1)), model

        def forward(self, x):
            return self.inner(x)

    slow = summed_gradients(Wrapped(), x, lambda outputs: [v, 2 * v])
    for a, b in zip(fast, slow[1:], strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-7)

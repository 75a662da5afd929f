"""Beside torch-pruning, where it is installed (`pip install --no-deps torch-pruning`; tried with 1.6.1)."""

import copy

import pytest
import torch
from torch import nn

from lllcourse.compression import structured, units
from lllcourse.models import MLP, LeNet5, SmallResNet

peer = pytest.importorskip("torch_pruning")


@pytest.mark.parametrize("make", [lambda: MLP(784, 30, 20, 10), LeNet5, SmallResNet])
def test_every_group_of_units_is_cut_as_torch_pruning_cuts_it(make):
    model, x = make().eval(), torch.rand(3, 784)
    for group in units.find(model, x):
        theirs = copy.deepcopy(model)
        graph = peer.DependencyGraph().build_dependency(theirs, example_inputs=x)
        layer = theirs.get_submodule(group.made[0])
        linear = isinstance(layer, nn.Linear)
        cut = peer.prune_linear_out_channels if linear else peer.prune_conv_out_channels
        graph.get_pruning_group(layer, cut, idxs=[0, 2]).prune()
        kept = torch.tensor([k for k in range(group.count) if k not in (0, 2)])
        ours = structured.remove(model, x, {group.name: kept})
        assert torch.allclose(ours(x), theirs(x), atol=1e-6), group.name
        assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]

"""A pruned network in a sparse format: only the weights that are left are stored, each with its column.

Compressed sparse rows (CSR) keep for a matrix of m rows with z non-zeros the z values, the column of each, and m + 1
numbers that say where each row starts. With values of 4 bytes and columns of 4 bytes that is

    4 z + 4 z + 4 (m + 1) bytes, against 4 m n,

less than the dense matrix from half of the weights on. A product goes through the stored numbers one by one, each from
another place of the input: it has to skip most of the work before it is faster.
"""

import warnings

import torch
from torch import nn

from .. import checks
from .pruning import without_masks


class SparseLinear(nn.Module):
    """A linear layer with its weight in CSR: (n, inputs) to (n, outputs). For inference: its pattern is fixed."""

    def __init__(self, layer):
        super().__init__()
        with warnings.catch_warnings():
            # "Sparse CSR ... in beta state", "Sparse invariant checks ...": torch says both once, at the first use
            warnings.filterwarnings("ignore", message="Sparse ")
            weight = layer.weight.detach().to_sparse_csr()
            self.shape = tuple(layer.weight.shape)
            self.values = nn.Parameter(weight.values(), requires_grad=False)
            self.register_buffer("columns", weight.col_indices().int())
            self.register_buffer("starts", weight.crow_indices().int())
            self.bias = layer.bias
            self.weight()

    def weight(self):
        return torch.sparse_csr_tensor(
            self.starts,
            self.columns,
            self.values,
            self.shape,
            check_invariants=False,
        )

    def forward(self, x):
        y = (self.weight() @ x.T).T
        return y if self.bias is None else y + self.bias


def in_sparse_format(model):
    """A copy of `model` whose linear layers are stored in CSR, and computed from it.

    Raises ValueError for a network without linear layers, or with convolutions: torch has no sparse one.
    """
    model = without_masks(model)
    convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    for name, layer in model.named_modules():
        checks.require(
            not isinstance(layer, convolution),
            f"{name} is a convolution, which torch computes only with dense weights; take a network of linear layers",
        )
    linear = [n for n, m in model.named_modules() if isinstance(m, nn.Linear)]
    checks.require(
        len(linear) > 0, "the network has no linear layer to store in CSR"
    )
    if linear == [""]:
        return SparseLinear(model)
    for name in linear:
        parent, _, last = name.rpartition(".")
        setattr(
            model.get_submodule(parent),
            last,
            SparseLinear(model.get_submodule(name)),
        )
    return model

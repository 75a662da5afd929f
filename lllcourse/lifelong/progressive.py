"""Progressive networks: a new column of layers for every task, beside the old ones, which are frozen.

The new column reads not only its own layers but also the hidden layers of all old columns, so that it can use what
they learned. Nothing is forgotten, since no old weight changes; the price is a network that grows with every task.

    h_i^(k) = relu(W_i^(k) h_(i-1)^(k) + b_i^(k) + sum_(j<k) U_i^(k:j) h_(i-1)^(j))

W_i^(k) is layer i of column k, U_i^(k:j) the adapter by which it reads column j. The first layer has none: all columns
see the same input. Rusu et al. 2016, "Progressive neural networks" (arXiv:1606.04671), equation 1. For their larger
networks the authors let an adapter read all old columns together through one narrow non-linear layer, which bounds what
a column adds; here every old column has a matrix of its own, so the network grows with the square of the tasks. They
start at zero: a new column is at first a plain network, and learns from there how much of the others it wants.
"""

import torch
from torch import nn
from torch.nn.utils import skip_init

from ..models.mlp import MLP
from .method import Method
from .recorder import nbytes


def layer_with_laterals(layer, h, adapters, old):
    """W h + b + sum_j U_j h_j, (n, out): what a layer of a new column computes, before the relu.

    layer: W and b. h: (n, in), the column's own layer before. adapters: the U_j. old: the h_j of the old columns.
    """
    return sum((U(h_j) for U, h_j in zip(adapters, old, strict=True)), layer(h))


class Column(MLP):
    """The layers of one task (see `MLP`), and adapters[i][j]: by which layer i + 1 reads layer i of old column j."""

    def __init__(self, *sizes, old=0, seed=0):
        super().__init__(*sizes, seed=seed)
        self.adapters = nn.ModuleList(
            nn.ModuleList(
                skip_init(nn.Linear, i, o, bias=False) for _ in range(old)
            )
            for i, o in zip(sizes[1:], sizes[2:], strict=False)
        )
        for U in self.adapters.parameters():
            nn.init.zeros_(U)

    def layer(self, i, h, old):
        """What layer i computes from its own h and the old columns' (a list), which the first layer does not read."""
        adapters, old = (self.adapters[i - 1], old) if i > 0 else ((), ())
        return layer_with_laterals(self.layers[i], h, adapters, old)


class ProgressiveMLP(nn.Module):
    """Columns of fully connected layers, one at first; `grow()` adds the next.

    sizes: the widths of a column, as for `MLP`. laterals: do columns read the older ones? Without, they are separate
    networks: column k is then `MLP(*sizes, seed=1000 * seed + k)`, and so it starts in either case.
    Input (n, ...) with sizes[0] values an example, output (n, sizes[-1]) of `column`, from 1; None is the newest.

    With T columns it has T * P + T * (T - 1) / 2 * A parameters: P those of one column, and A = sum of
    sizes[i] * sizes[i + 1] over i >= 1, those of the adapters between two.

    >>> net = ProgressiveMLP(2, 3, 4)
    >>> net.grow()
    >>> sum(p.numel() for p in net.parameters())  # 2 * (9 + 16) + 12
    62
    """

    def __init__(self, *sizes, laterals=True, seed=0):
        super().__init__()
        self.sizes, self.laterals, self.seed = sizes, laterals, seed
        self.columns = nn.ModuleList([Column(*sizes, seed=1000 * seed + 1)])

    def grow(self):
        """Add a column, on the device of the others."""
        old = len(self.columns)
        seed = 1000 * self.seed + old + 1
        new = Column(*self.sizes, old=old if self.laterals else 0, seed=seed)
        first = next(self.parameters())
        self.columns.append(new.to(first.device, first.dtype))

    def forward(self, x, column=None):
        number = len(self.columns) if column is None else column
        if not 1 <= number <= len(self.columns):
            raise ValueError(
                f"column is {column}; there are columns 1 to {len(self.columns)}, and grow() adds one"
            )
        # those that are read: the column itself, and all before it
        columns = self.columns[0 if self.laterals else number - 1 : number]
        h = [x.flatten(1)] * len(columns)
        *hidden, last = range(len(self.sizes) - 1)
        for i in hidden:
            h = [torch.relu(c.layer(i, h[k], h[:k])) for k, c in enumerate(columns)]
        return columns[-1].layer(last, h[-1], h[:-1])


class Progressive(Method):
    """Progressive networks: freeze all columns and grow one for each task; answer a task by its own column.

    For a `ProgressiveMLP`, which is to be new. A task that has not been learned yet is answered by the newest column:
    before any training, the first one as it was drawn.
    Raises ValueError for another network.
    """

    # Nothing but the task says which column to ask.
    scenarios = ("task",)

    def __init__(self):
        self.learned, self.grown = 0, 0

    def before_task(self, model, task):
        check_order(self)
        model = self.columned(model)
        if self.learned:
            # then no gradient, and so no optimiser's step
            model.requires_grad_(False)
            model.grow()
        elif len(model.columns) > 1:
            raise ValueError(
                f"the network has {len(model.columns)} columns before its first task; give a new ProgressiveMLP"
            )
        plain = model.columns[0].layers.parameters()
        self.grown = nbytes(*model.parameters()) - nbytes(*plain)

    def predict(self, model, x, active):
        number = min(self.asked, len(self.columned(model).columns))
        return super().predict(lambda x: model(x, number), x, active)

    def after_task(self, model, task, active):
        self.learned += 1

    def storage(self):
        """The bytes of all that has grown: every column and adapter but the one plain column to start with."""
        return self.grown

    def columned(self, model):
        if not isinstance(model, ProgressiveMLP):
            raise ValueError(
                f"Progressive needs a network that grows, ProgressiveMLP(784, 100, 10) say, not {type(model).__name__}"
            )
        return model


def check_order(method):
    """Raise ValueError where a method that counts its tasks (`learned`) is about to train another than the next."""
    if method.asked != method.learned + 1:
        raise ValueError(
            f"this {type(method).__name__} has learned {method.learned} tasks, and the next is called task "
            f"{method.asked}: an earlier run broke off, so begin again with a new method and a new network"
        )

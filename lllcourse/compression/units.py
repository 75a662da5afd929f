"""Which layers hang together: to remove a unit, one must know everything that makes it and everything that reads it.

A unit is a neuron of a linear layer, or a channel (a map) of a convolution. Its row of weights makes it, batch norm
keeps four numbers of it, and the layers after it have a column for it; after `flatten` one for each of its places. An
addition ties units: the k-th channel of a residual stream is the sum of the k-th channels of all that is added to it,
and goes only with all of them (Li et al. 2017, arXiv:1608.08710; Fang et al. 2023, arXiv:2301.12900).

`find(model, x)` follows the units through the network's graph. What it does not know, it refuses by name.
"""

import operator
from dataclasses import dataclass, field

import torch
from torch import fx, nn
from torch.nn import functional as F
from torch.nn.utils.parametrize import is_parametrized

from .. import checks
from ..training import device_of, evaluating

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
#: Layers and functions that treat every unit by itself, so that it is still there after them.
EACH = {
    *(
        nn.ReLU,
        nn.ReLU6,
        nn.LeakyReLU,
        nn.ELU,
        nn.GELU,
        nn.SiLU,
        nn.Tanh,
        nn.Sigmoid,
    ),
    *(nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d),
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
    *(torch.relu, torch.relu_, torch.tanh, torch.sigmoid, torch.max_pool2d),
    *(F.relu, F.relu6, F.leaky_relu, F.elu, F.gelu, F.silu, F.tanh, F.sigmoid),
    *(F.dropout, F.dropout2d, F.max_pool2d, F.avg_pool2d),
    *(F.adaptive_avg_pool2d, F.adaptive_max_pool2d),
    *("relu", "relu_", "tanh", "sigmoid", "contiguous", "clone"),
}
ADD = {operator.add, operator.iadd, torch.add, "add", "add_"}
FLATTEN = {nn.Flatten, torch.flatten, "flatten"}
MEAN = {torch.mean, "mean"}


@dataclass
class Units:
    """Units that are made together: the k-th of each layer in `made` is one unit.

    name: of the first layer that makes them. count: how many there are. made: the layers that make them, by name.
    norms: batch norms on the way. read: the layers that read them, and into how many columns each unit goes there.
    spots: the nodes of the graph at which they are read.
    """

    name: str
    count: int
    made: list = field(default_factory=list)
    norms: list = field(default_factory=list)
    read: dict = field(default_factory=dict)
    spots: list = field(default_factory=list)


def find(model, x) -> list[Units]:
    """The units of `model` that can be removed, in the order in which it computes them; those that it returns cannot.

    x: a few examples, (n, ...). Raises ValueError, naming the layer, for a network in which units cannot be followed:
    shared or masked weights, a layer that is used twice, an operation that mixes units or is not known here.
    """
    graph, shapes = traced(model, x)
    return Walk(model, graph, shapes).units()


def traced(model, x):
    """The graph of `model`, and the shape of what each of its nodes gives for the examples x."""
    twice = [n for n, p in model.named_parameters(remove_duplicate=False)]
    checks.require(
        len(twice) == len(list(model.parameters())),
        "two layers of the network share a weight, so none of their units can go alone",
    )
    for name, layer in model.named_modules():
        checks.require(
            not is_parametrized(layer),
            f"the weights of {name} are computed from others (weight norm, say), so no unit of it can go",
        )
        checks.require(
            not hasattr(layer, "mask"),
            f"{name} has a mask; make its zeros plain numbers first: pruning.without_masks(model)",
        )
    try:
        graph = fx.symbolic_trace(model)
    except Exception as error:  # of whatever kind: forward() may do anything
        raise ValueError(
            f"units cannot be followed through this network: {error}"
        ) from error
    shapes = {}

    class Watch(fx.Interpreter):
        def run_node(self, node):
            value = super().run_node(node)
            shapes[node] = getattr(value, "shape", None)
            return value

    try:
        with torch.no_grad(), evaluating(graph):
            Watch(graph).run(x[:2].to(device_of(model)))
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"the network does not take examples of shape {tuple(x.shape[1:])}: {error}"
        ) from error
    return graph, shapes


class Walk:
    """Goes through the nodes of a graph; `at` tells which units each of them gives, None where they are inputs."""

    def __init__(self, model, graph, shapes):
        self.model, self.graph, self.shapes = model, graph, shapes
        self.at, self.all, self.fixed, self.used = {}, [], [], set()

    def units(self):
        for node in self.graph.graph.nodes:
            if node.op == "output":
                for last in node.all_input_nodes:
                    self.fix(self.at[last])
            else:
                self.at[node] = self.give(node)
        free = [u for u in self.all if not any(u is f for f in self.fixed)]
        return [u for u in free if u.read]

    def fix(self, units):
        """These cannot go: an output, or something added to an input, would be missing."""
        if units is not None:
            self.fixed.append(units)

    def give(self, node):
        """The units of what a node gives, or None: an example's own numbers."""
        known = [self.at[n] for n in node.all_input_nodes]
        kind = self.kind(node)
        if node.op in ("placeholder", "get_attr"):
            return None
        if isinstance(kind, nn.Linear | nn.Conv2d):
            return self.layer(node, kind, known[0])
        if all(units is None for units in known):
            if isinstance(kind, nn.Module) and [*kind.parameters(recurse=False)]:
                self.refuse(node, "it reads the input itself")
            return None
        if isinstance(kind, NORMS):
            if kind.num_features != known[0].count:
                self.refuse(node, "it does not norm unit by unit")
            known[0].norms.append(self.once(node))
            return known[0]
        what = type(kind) if isinstance(kind, nn.Module) else kind
        if what in EACH:
            return known[0]
        if what in ADD:
            return self.add(node)
        source = node.all_input_nodes[0]
        if what in FLATTEN and self.shapes[node] == self.flat(source):
            return known[0]
        if what in MEAN and self.shapes[node] == self.shapes[source][:2]:
            return known[0]
        return self.refuse(node, "what it does to single units is not known here")

    def layer(self, node, layer, units):
        name = self.once(node)
        source, shape = node.all_input_nodes[0], self.shapes[node]
        if isinstance(layer, nn.Conv2d):
            wanted, inputs, made = 4, layer.in_channels, layer.out_channels
            if layer.groups != 1:
                self.refuse(node, "its channels are in groups")
        else:
            wanted, inputs, made = 2, layer.in_features, layer.out_features
        if len(shape) != wanted:
            self.refuse(node, f"what it gives has the shape {tuple(shape)}")
        if units is not None:
            units.read[name] = inputs // units.count
            units.spots.append(source)
        self.all.append(Units(name, made, [name]))
        return self.all[-1]

    def add(self, node):
        """The sum of two: from here on their units are the same."""
        terms = [a for a in node.args if isinstance(a, fx.Node)]
        if len(terms) == 1:  # a number is added
            return self.at[terms[0]]
        shapes = [self.shapes[t] for t in terms]
        if len(terms) != 2 or shapes[0] != shapes[1]:
            self.refuse(node, f"it adds the shapes {[tuple(s) for s in shapes]}")
        one, other = (self.at[t] for t in terms)
        if one is None or other is None:
            self.fix(one or other)
            return one or other
        if one is other:
            return one
        if one.count != other.count:
            self.refuse(node, f"it adds {other.count} units to {one.count}")
        first, second = sorted((one, other), key=self.position)
        first.made += second.made
        first.norms += second.norms
        first.read |= second.read
        first.spots += second.spots
        self.at = {n: first if u is second else u for n, u in self.at.items()}
        self.fixed = [first if u is second else u for u in self.fixed]
        self.all = [u for u in self.all if u is not second]
        return first

    def position(self, units):
        return next(i for i, u in enumerate(self.all) if u is units)

    def kind(self, node):
        if node.op == "call_module":
            return self.model.get_submodule(node.target)
        return node.target

    def once(self, node):
        if node.target in self.used:
            self.refuse(node, "it is used twice")
        self.used.add(node.target)
        return node.target

    def flat(self, source):
        n, *rest = self.shapes[source]
        return torch.Size((n, torch.Size(rest).numel()))

    def refuse(self, node, why):
        what = node.target if isinstance(node.target, str) else node.target.__name__
        raise ValueError(
            f"units cannot be followed through {what!r}: {why}; remove units of linear and convolutional layers with "
            "batch norm, activations, pooling, flatten and addition between them"
        )

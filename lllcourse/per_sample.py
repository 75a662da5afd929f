"""Gradients of single examples and of groups of them: what importances and GEM's constraints are made of.

Importances sum the squared or the absolute gradients of single examples.

The square of a batch's mean gradient is something else (it shrinks as the batch grows), so each example needs a
gradient of its own. For a linear layer z = W a + c that costs no more than a backward pass: the example's gradient is
the outer product of delta = dloss/dz and a, its square the outer product of the squares, and the sum over the batch is
one matrix product, (delta^2)^T (a^2). Absolute values do the same. So do groups: the gradient of each is a product of
its own, delta^T a. (Goodfellow 2015, arXiv:1510.01799)
"""

from collections import Counter, defaultdict

import torch
from torch import nn
from torch.func import functional_call, vjp, vmap

from .training import evaluating

ROOM = 2**25  # how many numbers the gradients of single examples may take at a time


def summed_gradients(model, x, cotangents, size=torch.square):
    """sum over examples n and cotangents v of size(d (v_n . f(x_n)) / d theta), a list with a tensor a parameter.

    x: (n, ...). cotangents: a function that takes the outputs f(x), (n, K), and returns a list of tensors (n, K).
    size: torch.square or torch.abs (any function for which the size of a product is the product of the sizes).

    The network is looked at in evaluation mode: a gradient under dropout, or under the statistics of a batch, is not
    that of an example. A frozen parameter has its gradient too, one that f does not use has zero. Where all parameters
    belong to linear layers, each used once, it takes the fast way; elsewhere it holds a gradient for each example.
    """
    with torch.enable_grad(), evaluating(model):
        layers, outputs = _linear_layers(model, x)
        if outputs is None:
            return _by_examples(model, x, cotangents, size)
        zs = [z for _, z in layers.values()]
        deltas = [torch.zeros_like(z) for z in zs]
        for v in cotangents(outputs.detach()):
            gradients = torch.autograd.grad(outputs, zs, v, retain_graph=True)
            for total, delta in zip(deltas, gradients, strict=True):
                total += size(delta)
        # A layer's inputs are the same for every cotangent: one product serves them all.
        sums = {}
        for (layer, (a, _)), delta in zip(layers.items(), deltas, strict=True):
            sums[layer.weight], sums[layer.bias] = delta.T @ size(a), delta.sum(0)
    return [sums.get(p, torch.zeros_like(p)) for p in model.parameters()]


def gradients_of_groups(model, x, sizes, losses):
    """The gradient of the mean loss of each group of examples, (groups, P): the trained parameters one after another.

    x: (n, ...), the examples group by group. sizes: how many each group has, a list. losses: `losses(outputs, chosen)`,
    the loss of each of the examples that `chosen` (a slice of the n) picks, from the network's outputs for them.

    Evaluation mode and the fast way are as in `summed_gradients`; the fast way, for groups of one size, is a single
    pass over all examples.
    """
    with torch.enable_grad(), evaluating(model):
        equal = len({*sizes}) == 1
        layers, outputs = _linear_layers(model, x) if equal else ({}, None)
        if outputs is None:
            return torch.stack([*_group_by_group(model, x, sizes, losses)])
        zs = [z for _, z in layers.values()]
        total = losses(outputs, slice(None)).sum() / sizes[0]
        deltas = torch.autograd.grad(total, zs)
        found = {}
        for (layer, (a, _)), delta in zip(layers.items(), deltas, strict=True):
            a, delta = (part.unflatten(0, (len(sizes), -1)) for part in (a, delta))
            found[layer.weight], found[layer.bias] = delta.mT @ a, delta.sum(1)
    rows = [
        found.get(p, p.new_zeros(len(sizes), *p.shape)) for p in model.parameters()
    ]
    return torch.cat([row.flatten(1) for row in rows], 1)


def _group_by_group(model, x, sizes, losses):
    weights, end = [p for p in model.parameters() if p.requires_grad], 0
    for size in sizes:
        chosen = slice(end, end := end + size)
        loss = losses(model(x[chosen]), chosen).mean()
        parts = torch.autograd.grad(loss, weights, materialize_grads=True)
        yield torch.cat([part.flatten() for part in parts])


def _linear_layers(model, x):
    """For each layer its inputs and outputs, and the network's outputs; or {}, None where the fast way is wrong."""
    layers = [m for m in model.modules() if m._parameters]
    if not all(_is_linear(m) for m in layers):
        return {}, None
    calls = defaultdict(list)  # layer -> its inputs and outputs, each time it ran

    def remember(layer, inputs, z):
        calls[layer].append((inputs[0].detach() if inputs else z[:0], z))
        return z.clone()  # an activation in place then leaves z as it is

    hooks = [m.register_forward_hook(remember) for m in layers]
    try:
        outputs = model(x)
    finally:
        for hook in hooks:
            hook.remove()

    uses = _uses(outputs)
    once = all(
        uses[p] == len(calls[m]) <= 1 for m in layers for p in m.parameters()
    )
    alone = all(  # one row an example
        a.shape[:-1] == x.shape[:1] for found in calls.values() for a, _ in found
    )
    if not once or not alone or not outputs.requires_grad:
        return {}, None
    return {m: found[0] for m, found in calls.items() if found}, outputs


def _is_linear(m):
    """Is it a plain linear layer, trained, with no parameters but its own (and nothing hooked in between)?"""
    plain = type(m) is nn.Linear and m._parameters.keys() == {"weight", "bias"}
    return (
        plain
        and not m._forward_hooks
        and "forward" not in vars(m)
        and all(p.requires_grad for p in m.parameters())
    )


def _uses(outputs):
    """How many operations of the outputs' graph read each parameter, a Counter."""
    uses, nodes, ahead = Counter(), set(), [outputs.grad_fn]
    while ahead:
        for node, _ in getattr(ahead.pop(), "next_functions", ()):
            if hasattr(node, "variable"):
                uses[node.variable] += 1
            elif node is not None and node not in nodes:
                nodes.add(node)
                ahead.append(node)
    return uses


def _by_examples(model, x, cotangents, size):
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def sizes(example, v):
        _, backward = vjp(
            lambda p: functional_call(model, p, (example[None],))[0], parameters
        )
        return {name: size(g) for name, g in backward(v)[0].items()}

    with torch.no_grad():
        outputs = model(x)
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    few = max(1, ROOM // sum(p.numel() for p in parameters.values()))
    for v in cotangents(outputs):
        for part in zip(x.split(few), v.split(few), strict=True):
            for name, found in _over_examples(sizes, *part).items():
                total[name] += found
    return list(total.values())


def _over_examples(sizes, x, v):
    """The sum of `sizes` over the examples, by vmap; one by one where it cannot follow the network (an LSTM, say)."""
    try:
        return {name: s.sum(0) for name, s in vmap(sizes)(x, v).items()}
    except RuntimeError:
        each = [sizes(*pair) for pair in zip(x, v, strict=True)]
        return {name: sum(one[name] for one in each) for name in each[0]}

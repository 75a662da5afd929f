"""Squared gradients of single examples, summed: what every Fisher-like importance is made of.

The square of a batch's mean gradient is something else (it shrinks as the batch grows), so each example needs a
gradient of its own. For a linear layer z = W a + c that costs no more than a backward pass: the example's gradient is
the outer product of delta = dloss/dz and a, its square the outer product of the squares, and the sum over the batch is
one matrix product, (delta^2)^T (a^2). (Goodfellow 2015, arXiv:1510.01799)
"""

import torch
from torch import nn
from torch.func import functional_call, vjp, vmap


def squared_gradients(model, x, cotangents):
    """sum over examples n and cotangents v of (d (v_n . f(x_n)) / d theta)^2, a list with a tensor for each parameter.

    x: (n, ...). cotangents: a function that takes the outputs f(x), (n, K), and returns a list of tensors (n, K).
    Networks whose parameters all belong to linear layers, each used once, take the fast way; others take
    `torch.func`, which holds a gradient for every example of x: choose the batch accordingly.
    """
    layers = [
        m
        for m in model.modules()
        if next(m.parameters(recurse=False), None) is not None
    ]
    if not all(type(m) is nn.Linear for m in layers):
        return _squared_gradients_by_vmap(model, x, cotangents)

    seen = {}  # layer -> (its inputs, its outputs)

    def remember(layer, inputs, z):
        seen[layer] = inputs[0].detach(), z

    hooks = [m.register_forward_hook(remember) for m in layers]
    with torch.enable_grad():
        outputs = model(x)
    for hook in hooks:
        hook.remove()

    total = {id(p): torch.zeros_like(p) for p in model.parameters()}
    zs = [seen[m][1] for m in layers]
    for v in cotangents(outputs.detach()):
        for m, delta in zip(
            layers, torch.autograd.grad(outputs, zs, v, retain_graph=True), strict=True
        ):
            total[id(m.weight)] += (delta**2).T @ seen[m][0] ** 2
            if m.bias is not None:
                total[id(m.bias)] += (delta**2).sum(0)
    return [total[id(p)] for p in model.parameters()]


def _squared_gradients_by_vmap(model, x, cotangents):
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def squares(example, v):
        _, backward = vjp(
            lambda p: functional_call(model, p, (example[None],))[0], parameters
        )
        return {name: g**2 for name, g in backward(v)[0].items()}

    with torch.no_grad():
        outputs = model(x)
    sums = [
        {name: s.sum(0) for name, s in vmap(squares)(x, v).items()}
        for v in cotangents(outputs)
    ]
    return [sum(s[name] for s in sums) for name in parameters]

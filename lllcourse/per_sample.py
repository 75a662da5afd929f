"""Squared or absolute gradients of single examples, summed: what importances are made of.

The square of a batch's mean gradient is something else (it shrinks as the batch grows), so each example needs a
gradient of its own. For a linear layer z = W a + c that costs no more than a backward pass: the example's gradient is
the outer product of delta = dloss/dz and a, its square the outer product of the squares, and the sum over the batch is
one matrix product, (delta^2)^T (a^2). Absolute values do the same. (Goodfellow 2015, arXiv:1510.01799)
"""

import torch
from torch import nn
from torch.func import functional_call, vjp, vmap


def summed_gradients(model, x, cotangents, size=torch.square):
    """sum over examples n and cotangents v of size(d (v_n . f(x_n)) / d theta), a list with a tensor a parameter.

    x: (n, ...). cotangents: a function that takes the outputs f(x), (n, K), and returns a list of tensors (n, K).
    size: torch.square or torch.abs (any function for which the size of a product is the product of the sizes).
    Networks whose parameters all belong to linear layers, each used once, take the fast way; others take
    `torch.func`, which holds a gradient for every example of x: choose the batch accordingly.
    """
    layers = [
        m
        for m in model.modules()
        if next(m.parameters(recurse=False), None) is not None
    ]
    if not all(type(m) is nn.Linear for m in layers):
        return _summed_gradients_by_vmap(model, x, cotangents, size)

    seen = {}  # layer -> (its inputs, its outputs)

    def remember(layer, inputs, z):
        seen[layer] = inputs[0].detach(), z

    hooks = [m.register_forward_hook(remember) for m in layers]
    with torch.enable_grad():
        outputs = model(x)
    for hook in hooks:
        hook.remove()

    zs = [seen[m][1] for m in layers]
    deltas = [torch.zeros_like(z) for z in zs]
    for v in cotangents(outputs.detach()):
        gradients = torch.autograd.grad(outputs, zs, v, retain_graph=True)
        for total, delta in zip(deltas, gradients, strict=True):
            total += size(delta)
    # A layer's inputs are the same for every cotangent, so one product serves them
    # all.
    sums = {}
    for m, delta in zip(layers, deltas, strict=True):
        sums[m.weight], sums[m.bias] = delta.T @ size(seen[m][0]), delta.sum(0)
    return [sums[p] for p in model.parameters()]


def _summed_gradients_by_vmap(model, x, cotangents, size):
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def sizes(example, v):
        _, backward = vjp(
            lambda p: functional_call(model, p, (example[None],))[0], parameters
        )
        return {name: size(g) for name, g in backward(v)[0].items()}

    with torch.no_grad():
        outputs = model(x)
    sums = [
        {name: s.sum(0) for name, s in vmap(sizes)(x, v).items()}
        for v in cotangents(outputs)
    ]
    return [sum(s[name] for s in sums) for name in parameters]

"""Train and evaluate a network on one Split: whole tensors on one device, seeded, without a DataLoader."""

from contextlib import contextmanager

import torch
from torch import nn

from . import checks
from . import device as fastest
from .checks import Diverged  # noqa: F401 (a part of what training promises)
from .losses import cross_entropy, only_active

MOMENTUM = 0.9


class GradientDescent:
    """theta <- theta - lr * gradient. `torch.optim.SGD` does the same, to the last bit, and a step takes it longer."""

    def __init__(self, parameters, lr):
        self.parameters, self.lr = list(parameters), lr

    def zero_grad(self):
        for theta in self.parameters:
            theta.grad = None

    def step(self):
        for theta in self.parameters:
            if theta.grad is not None:  # frozen, or not used by the loss
                theta.sub_(theta.grad, alpha=self.lr)


OPTIMIZERS = {
    "sgd": GradientDescent,
    "momentum": lambda parameters, lr: torch.optim.SGD(
        parameters, lr=lr, momentum=MOMENTUM
    ),
    "adam": lambda parameters, lr: torch.optim.Adam(parameters, lr=lr),
}


def predict(model, x, active=None):
    """The label of each example, int64 (n,): its largest active output."""
    with evaluating(model):
        return only_active(model(x), active).argmax(1)


def train(
    model,
    split,
    *,
    active=None,
    epochs=5,
    batch_size=32,
    optimizer="sgd",
    lr=0.1,
    seed=0,
    loss=cross_entropy,
    after_gradient=None,
    after_step=None,
    progress=False,
):
    """Train `model` in place on `split`, each epoch in a new order drawn from `seed`.

    active: the outputs that take part, as in `cross_entropy`.
    optimizer: "sgd", "momentum" (0.9) or "adam"; it starts anew at every call. lr: its step size.
    loss: `loss(model, x, y, active)`, a scalar. after_gradient, after_step: called with the model, without a graph.
    progress: show a bar over the epochs (needs the `tqdm` package).
    Inside `torch.autocast` it computes in mixed precision: the weights stay as they are, losses are not scaled.

    Returns the mean loss of every epoch, a tensor (epochs,) on the model's device.
    Raises ValueError for an empty split, examples that the network does not take or that are not finite, a label that
    no active output stands for, or settings out of range, and Diverged at the first loss that is not finite (on a GPU,
    which to ask in every step would slow down, at the end of its epoch).
    """
    checks.one_of("optimizer", optimizer, OPTIMIZERS)
    checks.schedule(epochs, batch_size, lr)
    checks.require(
        len(split), "the training split is empty: there is nothing to learn from"
    )
    device = device_of(model)
    split, active = split.to(device), None if active is None else active.to(device)
    checks.learnable(split, active, count_outputs(model, split.x))

    optimizer = OPTIMIZERS[optimizer](model.parameters(), lr)
    generator = checks.generator(seed)
    means = []
    model.train()
    with layers_draw_from(seed, device):
        for epoch in bar(range(epochs)) if progress else range(epochs):
            drawn = batches(split, active, batch_size, generator)
            losses = checks.Losses(device, epoch + 1, lr)
            for x, y, mask in drawn:
                optimizer.zero_grad()
                value = loss(model, x, y, mask)
                losses.add(value, len(y))
                value.backward()
                with torch.no_grad():
                    if after_gradient:
                        after_gradient(model)
                    optimizer.step()
                    if after_step:
                        after_step(model)
            means.append(losses.mean())
    checks.weights_are_finite(model, lr)
    return torch.stack(means) if means else torch.zeros(0, device=device)


def batches(split, active, batch_size, generator):
    """One epoch: x, y and the mask of the active outputs of each batch, in the order that `generator` draws.

    active: one mask (outputs,) for all, or (n, outputs), one for each example; None means all outputs.
    generator: on the CPU.
    """
    order = torch.randperm(len(split), generator=generator).to(split.y.device)
    own = active is not None and active.ndim == 2
    for chosen in order.split(int(batch_size)):
        torch.clear_autocast_cache()  # of weights before their last step
        yield split.x[chosen], split.y[chosen], active[chosen] if own else active
    torch.clear_autocast_cache()


@torch.no_grad()
def evaluate(model, split, active=None, *, predict=predict):
    """The share of `split` that the model labels rightly: its accuracy, a float in [0, 1].

    active: the outputs that compete. predict: `predict(model, x, active)`, labels (n,), if not the largest output.
    Raises ValueError for an empty split.
    """
    checks.require(len(split), "the split is empty: it has no accuracy")
    device = device_of(model)
    split, active = split.to(device), None if active is None else active.to(device)
    with evaluating(model):
        right = sum(
            (predict(model, x, active) == y).sum()
            for x, y in zip(split.x.split(2048), split.y.split(2048), strict=True)
        )
    return right.item() / len(split)


@contextmanager
def layers_draw_from(seed, device):
    """Inside, what layers draw of themselves (dropout) follows from the seed; outside, nobody's draws are changed."""
    own = {"devices": []}
    if device.type not in ("cpu", "meta"):
        own = {"devices": [device], "device_type": device.type}
    with torch.random.fork_rng(**own):
        torch.manual_seed(seed)
        yield


@contextmanager
def evaluating(model):
    """Inside, the network is only looked at: no dropout, batch norm by the statistics that it has, and full precision
    within `torch.autocast`, too. Whatever looks at a network does it in here; afterwards every layer is in the mode in
    which it was.

    model: a network; or another function, a network with other weights say, which is taken as it is.
    """
    layers = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [(layer, layer.training) for layer in layers]
    full_precision = [
        torch.autocast(kind, enabled=False) for kind in ("cpu", fastest().type)
    ]
    try:
        for layer in layers:
            layer.training = False
        with full_precision[0], full_precision[1]:
            yield
    finally:
        for layer, mode in modes:
            layer.training = mode


def device_of(model):
    """The device on which the parameters of `model` live."""
    return next(model.parameters()).device


def count_outputs(model, x):
    """How many outputs `model` has for the examples x, (n, ...).

    Raises ValueError, with the shape of an example, where the network does not take it.
    """
    x = x[:1].to(device_of(model))
    try:
        with torch.no_grad(), evaluating(model):
            outputs = model(x)
    except RuntimeError as error:
        raise ValueError(
            f"the network does not take examples of shape {tuple(x.shape[1:])} and type {x.dtype}: {error}"
        ) from error
    if outputs.ndim != 2 or len(outputs) != len(x):
        raise ValueError(
            f"the network must give one row of outputs an example, (n, outputs), not {tuple(outputs.shape)}"
        )
    return outputs.shape[1]


def bar(epochs):
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError(
            "progress=True needs the tqdm package: pip install tqdm"
        ) from None
    return tqdm(epochs, desc="epochs", leave=False)

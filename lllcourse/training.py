"""Train and evaluate a network on one Split: whole tensors on one device, seeded, without a DataLoader."""

import math

import torch

from .losses import cross_entropy, only_active

MOMENTUM = 0.9
OPTIMIZERS = {
    "sgd": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr),
    "momentum": lambda parameters, lr: torch.optim.SGD(
        parameters, lr=lr, momentum=MOMENTUM
    ),
    "adam": lambda parameters, lr: torch.optim.Adam(parameters, lr=lr),
}


class Diverged(RuntimeError):
    """The loss, or a weight, became infinite or not a number."""


def predict(model, x, active=None):
    """The label of each example, int64 (n,): its largest active output."""
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

    Returns the mean loss of every epoch, a tensor (epochs,) on the model's device.
    Raises ValueError for an empty split, examples that the network does not take or that are not finite, a label that
    no active output stands for, or settings out of range, and Diverged at the first loss that is not finite.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(
            f"optimizer is {optimizer!r}; it must be one of {', '.join(map(repr, OPTIMIZERS))}"
        )
    if epochs < 0 or batch_size < 1 or not lr > 0:
        raise ValueError(
            f"epochs={epochs}, batch_size={batch_size}, lr={lr}: need epochs >= 0, batch_size >= 1, lr > 0"
        )
    if len(split) == 0:
        raise ValueError("the training split is empty: there is nothing to learn from")
    device = device_of(model)
    split, active = split.to(device), None if active is None else active.to(device)
    _check_data(model, split, active)

    optimizer = OPTIMIZERS[optimizer](model.parameters(), lr)
    # A generator on the CPU, so that the order is the same on every device.
    generator = torch.Generator().manual_seed(seed)
    losses = []
    model.train()
    remedy = f"try a smaller lr than {lr}"
    for epoch in _bar(range(epochs)) if progress else range(epochs):
        order = torch.randperm(len(split), generator=generator).to(device)
        batches = split.x[order].split(batch_size), split.y[order].split(batch_size)
        masks = (
            active[order].split(batch_size)
            if active is not None and active.ndim == 2
            else [active] * len(batches[0])
        )
        total = torch.zeros((), device=device)
        for step, (x, y, mask) in enumerate(zip(*batches, masks, strict=True), 1):
            optimizer.zero_grad()
            value = loss(model, x, y, mask)
            if not value.is_meta and not math.isfinite(value.item()):
                raise Diverged(
                    f"the loss is {value.item()} in step {step} of epoch {epoch + 1}: {remedy}"
                )
            value.backward()
            with torch.no_grad():
                if after_gradient:
                    after_gradient(model)
                optimizer.step()
                if after_step:
                    after_step(model)
                total += value * len(y) / len(split)
        losses.append(total)
    if not device.type == "meta" and not all(
        p.isfinite().all() for p in model.parameters()
    ):
        raise Diverged(f"the last step left weights that are not finite: {remedy}")
    return torch.stack(losses) if losses else torch.zeros(0, device=device)


@torch.no_grad()
def evaluate(model, split, active=None, *, predict=predict):
    """The share of `split` that the model labels rightly: its accuracy, a float in [0, 1].

    active: the outputs that compete. predict: `predict(model, x, active)`, labels (n,), if not the largest output.
    Raises ValueError for an empty split.
    """
    if len(split) == 0:
        raise ValueError("the split is empty: it has no accuracy")
    device, training = device_of(model), model.training
    split, active = split.to(device), None if active is None else active.to(device)
    model.eval()
    right = sum(
        (predict(model, x, active) == y).sum()
        for x, y in zip(split.x.split(2048), split.y.split(2048), strict=True)
    )
    model.train(training)
    return right.item() / len(split)


def device_of(model):
    """The device on which the parameters of `model` live."""
    return next(model.parameters()).device


def count_outputs(model, split):
    """How many outputs `model` has for the examples of `split`.

    Raises ValueError, with the shape of an example, where the network does not take it.
    """
    x = split.x[:1].to(device_of(model))
    try:
        with torch.no_grad():
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


def _check_data(model, split, active):
    """Raise ValueError, saying what is wrong, where the network cannot learn these examples and labels."""
    outputs = count_outputs(model, split)
    if split.y.is_meta:
        return
    if split.x.is_floating_point() and not split.x.isfinite().all():
        raise ValueError(
            "x of the training split holds values that are not finite; mend or drop these examples"
        )
    if split.y.min() < 0 or split.y.max() >= outputs:
        raise ValueError(
            f"labels run from {split.y.min()} to {split.y.max()}, but the network has {outputs} outputs"
        )
    if active is not None:
        if active.dtype != torch.bool or active.shape[-1] != outputs:
            raise ValueError(
                f"active must be a boolean mask over the {outputs} outputs, not {active.dtype} {active.shape}"
            )
        lit = (
            active[split.y]
            if active.ndim == 1
            else active.gather(1, split.y[:, None])[:, 0]
        )
        if not lit.all():
            raise ValueError(
                f"label {split.y[~lit][0]} occurs in the data, but its output is not active"
            )


def _bar(epochs):
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError(
            "progress=True needs the tqdm package: pip install tqdm"
        ) from None
    return tqdm(epochs, desc="epochs", leave=False)

"""Refuse what cannot be right, in a sentence that says what was wrong, which value it was, and what would be right."""

import math
import operator

import torch


class Diverged(RuntimeError):
    """The loss, or a weight, became infinite or not a number."""


# --- arguments -----------------------------------------------------------------------


def require(condition, message):
    """Raise ValueError with `message` unless the condition holds."""
    if not condition:
        raise ValueError(message)


def one_of(name, value, allowed):
    """Raise ValueError, naming the argument, unless its value is among `allowed`."""
    if value not in allowed:
        names = ", ".join(map(repr, allowed))
        raise ValueError(f"{name} is {value!r}; it must be one of {names}")


def whole(name, value, least=None) -> int:
    """The value as an int, numpy's whole numbers included; ValueError, naming the argument, for all else."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or least is not None and number < least:
        range_ = "" if least is None else f", {least} or more"
        raise ValueError(f"{name} is {value!r}; it must be a whole number{range_}")
    return number


def generator(seed):
    """What draws at random from `seed`, a whole number: on the CPU, so that every device gets the same draws."""
    seed = whole("seed", seed)
    require(-(2**63) <= seed < 2**64, f"seed is {seed}; it must lie within 64 bits")
    return torch.Generator().manual_seed(seed)


def count(name, value, otherwise) -> int:
    """The value as an int; ValueError, naming the argument, unless it is a whole number from 1 on."""
    try:
        return whole(name, value, least=1)
    except ValueError:
        raise ValueError(
            f"{name} is {value!r}; it must be a whole number of examples, 1 or more ({otherwise})"
        ) from None


def share(name, value):
    """Raise ValueError, naming the argument, unless it lies between 0 and 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}; it must be a share, from 0 to 1")


def strength(lam):
    """Raise ValueError unless lam can be the strength of a penalty, infinity included."""
    if math.isnan(lam) or lam < 0:
        raise ValueError(
            f"lam is {lam}; it must be a number from 0 (fine-tuning) to infinity (frozen)"
        )


def temperature(T):
    """Raise ValueError unless T can soften a softmax."""
    if not 0 < T < math.inf:
        raise ValueError(
            f"T is {T}; it must be a finite temperature above 0 (1 leaves the answers as they are)"
        )


def distillable(student_logits, teacher_logits, T):
    """Raise ValueError unless the two are of one shape, (n, outputs), and T can soften them."""
    if student_logits.shape != teacher_logits.shape:
        raise ValueError(
            f"student_logits has shape {tuple(student_logits.shape)}, teacher_logits "
            f"{tuple(teacher_logits.shape)}; both must be (n, outputs) over the same outputs"
        )
    temperature(T)


# --- tensors -------------------------------------------------------------------------


def alike(**lists):
    """Go through lists of tensors side by side, as `zip` does, but raise ValueError, naming the list, where one does
    not fit the first in number or shape.
    """
    names, (first, *others) = list(lists), map(list, lists.values())
    for name, other in zip(names[1:], others, strict=True):
        shapes = [[tuple(t.shape) for t in tensors] for tensors in (first, other)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"{name} must hold tensors of the shapes of {names[0]}, {shapes[0]}, not {shapes[1]}"
            )
    return zip(first, *others, strict=True)


def all_finite(values):
    """Are all values finite? The sum tells, unless it is too large itself."""
    return bool(values.sum().isfinite()) or bool(values.isfinite().all())


def finite(**values):
    """Raise ValueError, naming the argument, where one holds values that are infinite or not a number.

    One sum over all tells, so that a GPU is waited for once.
    """
    if any(v.is_meta for v in values.values()):
        return
    if torch.stack([v.double().sum() for v in values.values()]).sum().isfinite():
        return
    for name, v in values.items():
        require(
            all_finite(v),
            f"{name} has values that are not finite; if the training diverged, try a smaller lr",
        )


# --- training ------------------------------------------------------------------------


def schedule(epochs, batch_size, lr):
    """Raise ValueError unless one can train so long, in such batches, with such steps."""
    whole("epochs", epochs, least=0)
    whole("batch_size", batch_size, least=1)
    require(0 < lr < math.inf, f"lr is {lr}; it must be a finite step size above 0")


def no_running_statistics(model, why):
    """Raise ValueError, with the reason, for a network that goes on averaging over what it is trained on."""
    for name, layer in model.named_modules():
        require(
            getattr(layer, "running_mean", None) is None,
            f"the network keeps running statistics ({name or 'it'} is a {type(layer).__name__}), {why}",
        )


def freezable(model, lam):
    """Raise ValueError where lam is infinite, but the network keeps running statistics."""
    if lam == math.inf:
        why = "which lam=inf does not freeze; take a finite lam"
        no_running_statistics(model, why)


def learnable(split, active, outputs):
    """Raise ValueError, saying what is wrong, where a network with so many outputs cannot learn these examples.

    split: a Split. active: the mask of the outputs that take part, (outputs,) or (n, outputs), or None for all.
    """
    if split.y.is_meta:
        return
    if split.x.is_floating_point() and not all_finite(split.x):
        raise ValueError(
            "x of the training split holds values that are not finite; mend or drop these examples"
        )
    if split.y.min() < 0 or split.y.max() >= outputs:
        raise ValueError(
            f"labels run from {split.y.min()} to {split.y.max()}, but the network has {outputs} outputs"
        )
    if active is None:
        return
    if active.dtype != torch.bool or active.shape[-1] != outputs:
        raise ValueError(
            f"active must be a boolean mask over the {outputs} outputs, not {active.dtype} {active.shape}"
        )
    each = active.expand(len(split), -1)  # a mask for each example
    lit = each.gather(1, split.y[:, None])[:, 0]
    if not lit.all():
        raise ValueError(
            f"label {split.y[~lit][0]} occurs in the data, but its output is not active"
        )


class Losses:
    """The losses of an epoch's batches. One that is not finite raises Diverged, naming the step: on the CPU before it
    reaches the weights; elsewhere, where to look at a number is to wait for it, at the end of the epoch.
    """

    def __init__(self, device, epoch, lr):
        self.at_once, self.epoch, self.lr = device.type == "cpu", epoch, lr
        self.values, self.sizes = [], []

    def add(self, value, examples):
        """The loss of one batch, a scalar, and how many examples it had."""
        self.values.append(value.detach())
        self.sizes.append(examples)
        if self.at_once:
            self.look(len(self.values), value.item())

    def mean(self):
        """Over the examples of the epoch, a scalar on the device."""
        values = torch.stack(self.values)
        if not self.at_once and not values.is_meta and not all_finite(values):
            for step, number in enumerate(values.tolist(), 1):
                self.look(step, number)
        sizes = torch.tensor(self.sizes, dtype=values.dtype).to(values.device)
        return (values * sizes).sum() / sizes.sum()

    def look(self, step, number):
        if not math.isfinite(number):
            raise Diverged(
                f"the loss is {number} in step {step} of epoch {self.epoch}: try a smaller lr than {self.lr}"
            )


def weights_are_finite(model, lr):
    """Raise Diverged where the last step left a weight that is not finite."""
    for p in model.parameters():
        if not p.is_meta and not all_finite(p):
            raise Diverged(
                f"the last step left weights that are not finite: try a smaller lr than {lr}"
            )

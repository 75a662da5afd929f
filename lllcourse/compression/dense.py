"""The two networks that chapters 11 to 16 make smaller, trained once a seed on the course's digits.

What a chapter calls "the dense network" is one of these, so that rows of different chapters can be compared.
"""

import torch

from .. import checks, training
from ..data import digits
from ..losses import cross_entropy
from ..models.lenet import LeNet5
from ..models.mlp import MLP

#: How they are trained; chosen on the validation images of seeds 10 to 14.
TRAINING = {
    "LeNet-300-100": {"epochs": 10, "batch_size": 32, "lr": 0.1},
    "LeNet-5": {"epochs": 5, "batch_size": 32, "lr": 0.1},
}
CALM = 0.2  # the last share of the epochs, in which steps have this share of their length


def untrained(name, seed=0):
    """The network of that name with its initial weights.

    name: "LeNet-300-100" (784, 300, 100 and 10 units; LeCun et al. 1998) or "LeNet-5" (`models.LeNet5`).
    """
    checks.one_of("name", name, TRAINING)
    return (
        MLP(784, 300, 100, 10, seed=seed)
        if name == "LeNet-300-100"
        else LeNet5(seed=seed)
    )


def train(
    model, name, *, seed=0, epochs=None, lr=None, data=None, loss=cross_entropy
):
    """Train `model` in place, as the network of that name is trained; returns the mean loss of every epoch, (epochs,).

    Steps are long, and short in the last fifth of the epochs, so that the network does not end on a bad step.
    epochs: as many as for the dense network, if not given. lr: one length for all steps instead.
    data: a Split, the 3,500 training digits if not given. loss: `loss(model, x, y, active)`, a scalar.
    """
    checks.one_of("name", name, TRAINING)
    settings, data = TRAINING[name], digits().train if data is None else data
    n = checks.whole("epochs", settings["epochs"] if epochs is None else epochs, 0)
    last = round(CALM * n) if lr is None else 0
    lr = settings["lr"] if lr is None else lr
    size = settings["batch_size"]
    losses = [
        training.train(
            model, data, epochs=k, lr=step, batch_size=size, seed=order, loss=loss
        )
        for k, step, order in (
            (n - last, lr, seed),
            (last, CALM * lr, seed + 10_000),
        )
    ]
    return torch.cat(losses)


def trained(name, seed=0):
    """A new network of that name, trained from `seed`."""
    model = untrained(name, seed)
    train(model, name, seed=seed)
    return model

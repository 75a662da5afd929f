"""The two networks that chapters 11 to 16 make smaller, trained once a seed on the course's digits.

What a chapter calls "the dense network" is one of these, so that rows of different chapters can be compared.
"""

from .. import checks, training
from ..data import digits
from ..losses import cross_entropy
from ..models.lenet import LeNet5
from ..models.mlp import MLP

#: What `training.train` is told for each of them; chosen on the validation images of seeds 10 and 11.
TRAINING = {
    "LeNet-300-100": {"epochs": 10, "batch_size": 32, "lr": 0.1},
    "LeNet-5": {"epochs": 5, "batch_size": 32, "lr": 0.1},
}


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

    epochs, lr: as for the dense network, if not given. data: a Split, the 3,500 training digits if not given.
    loss: `loss(model, x, y, active)`, a scalar.
    """
    checks.one_of("name", name, TRAINING)
    settings = dict(TRAINING[name])
    if epochs is not None:
        settings["epochs"] = epochs
    if lr is not None:
        settings["lr"] = lr
    data = digits().train if data is None else data
    return training.train(model, data, seed=seed, loss=loss, **settings)


def trained(name, seed=0):
    """A new network of that name, trained from `seed`."""
    model = untrained(name, seed)
    train(model, name, seed=seed)
    return model

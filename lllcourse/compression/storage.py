"""A network on disk: exact bytes, and how a network that has become smaller is made again from its file."""

import copy
import io

import torch

from .. import checks
from .pruning import without_masks
from .structured import put


def written(model) -> bytes:
    """The file of a network: its parameters and buffers by name, 4 bytes a number, and what `torch.save` puts around.
    It is the same from every device.

    A masked weight is a zero like others and takes as much.
    """
    buffer = io.BytesIO()
    torch.save(without_masks(model).cpu().state_dict(), buffer)
    return buffer.getvalue()


def save(model, path):
    """Write the network to a file; returns its size in bytes."""
    content = written(model)
    with open(path, "wb") as file:
        return file.write(content)


def load(path, model):
    """The network in a file that `save` wrote: a new one, in evaluation mode, on the device of `model`.

    model: a network of the class that was saved, as its constructor makes it; it is not changed. Layers of which units
    were removed take the sizes that they have in the file.
    Raises ValueError where the file holds other layers than `model` has, or was not written by `save`.
    """
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # of many kinds
        raise ValueError(
            f"{path} is no network that `save` wrote: {error}"
        ) from error
    model = copy.deepcopy(model)
    own = model.state_dict()
    checks.require(
        isinstance(state, dict) and set(state) == set(own),
        f"{path} holds another network: {sorted(set(own) ^ set(state))} are in one of the two only",
    )
    for name, value in state.items():
        layer, _, end = name.rpartition(".")
        if value.shape != own[name].shape:
            checks.require(
                value.ndim == own[name].ndim,
                f"{name} has the shape {tuple(value.shape)} in {path}, {tuple(own[name].shape)} in the network",
            )
            put(model.get_submodule(layer), end, value.to(own[name]))
    model.load_state_dict(state)
    return model.eval()

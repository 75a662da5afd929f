"""A network on disk: what is stored, and how a network that has become smaller is made again from its file."""

import copy
import io

import torch

from .. import checks
from .structured import SIZES, put


def save(model, path):
    """Write the parameters and buffers of `model` to a file, 4 bytes a number and some for the names.

    Returns how many bytes there are. Masked weights are written as the zeros that they are.
    """
    content = written(model)
    with open(path, "wb") as file:
        file.write(content)
    return len(content)


def written(model):
    """What `save` writes: bytes."""
    from .pruning import mask_in, without_masks

    buffer = io.BytesIO()
    torch.save(plain(model).state_dict(), buffer)
    return buffer.getvalue()

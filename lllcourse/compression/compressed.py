"""A compressed network as a file whose every byte is counted, and that can be turned back into a network.

    4 bytes   "lllc"
    4 bytes   CRC-32 of the rest, which begins with that of the names of the network's tensors
    the rest  for each tensor of the network (parameters and buffers, in the order of `state_dict`): the number of its
              scheme, its sizes, then for each part of the scheme its length and its bytes

Whole numbers are written in seven bits a byte, the lowest first, with the eighth bit set where more follow (LEB128).
Reading executes nothing: a scheme makes numbers from bytes, and whatever does not fit is an error.
"""

import copy
import zlib
from math import prod
from pathlib import Path

import torch

from .. import checks
from .binary import from_binary
from .coding import from_shared
from .packing import Coded
from .pruning import without_masks
from .quantization import from_affine
from .report import Report, reported
from .structured import put
from .varint import number_at, varint

MAGIC = b"lllc"


# --- schemes: how a tensor is made from its parts ----------------------------------------


def plain(tensor) -> Coded:
    """The numbers as they are: 4 bytes each in single precision."""
    values = tensor.detach().cpu().contiguous().numpy().tobytes()
    return Coded("plain", tuple(tensor.shape), {"values": values})


def from_plain(parts, shape, dtype):
    size = torch.empty((), dtype=dtype).element_size()
    checks.require(
        len(parts["values"]) == prod(shape) * size, "its values have another length"
    )
    values = torch.frombuffer(
        bytearray(parts["values"]) or bytearray(size), dtype=dtype
    )
    return values[: prod(shape)].view(shape)


#: By its number in the file: the name of a scheme, the parts that it has, and what makes the tensor from
#: (parts, shape, dtype). What makes a tensor raises ValueError for whatever its coder could not have written.
SCHEMES = {
    0: ("plain", ("values",), from_plain),
    1: ("affine", ("bits", "scales", "zero points", "codes"), from_affine),
    2: ("binary", ("scales", "signs"), from_binary),
    3: ("shared", ("codebook", "positions", "indices"), from_shared),
}
NUMBERS = {name: number for number, (name, _, _) in SCHEMES.items()}


# --- the file ----------------------------------------------------------------------------


class Compressed:
    """A network in few bytes.

    content: the file. bytes: its length. parts: the bytes of every kind of part, of all tensors together, and of the
    "header", which is all the rest; their sum is `bytes`. coded: each tensor as it is stored, by name. report: what
    each took as plain numbers, and takes.
    """

    def __init__(self, content, model):
        self.content = bytes(content)
        self.bytes = len(self.content)
        self._like = without_masks(model).eval()
        self._tensors = read(self.content, self._like.state_dict())
        self.coded = {name: coded for name, (coded, _) in self._tensors.items()}
        self.parts = {"header": self.bytes}
        sizes = {}
        for name, (coded, value) in self._tensors.items():
            for part, data in coded.parts.items():
                self.parts[part] = self.parts.get(part, 0) + len(data)
                self.parts["header"] -= len(data)
            length = sum(map(len, coded.parts.values()))
            sizes[name] = [value.numel() * value.element_size(), length]
        self.report = Report("bytes", sizes)

    def restore(self) -> torch.nn.Module:
        """The network: a new one, in evaluation mode, on the CPU."""
        model, own = copy.deepcopy(self._like).cpu(), self._like.state_dict()
        state = {name: value.clone() for name, (_, value) in self._tensors.items()}
        for name, value in state.items():
            if value.shape != own[name].shape:
                layer, _, end = name.rpartition(".")
                put(model.get_submodule(layer), end, value)
        model.load_state_dict(state)
        return model.eval()

    def save(self, path) -> int:
        """Write the file; returns its size in bytes."""
        return Path(path).write_bytes(self.content)


def compressed(model, coded) -> Compressed:
    """The network with these tensors coded, a dictionary from names of parameters or buffers; all others as they are.

    Raises ValueError for names that the network does not have, for another shape, and where no byte would be saved.
    """
    model = without_masks(model)
    state = model.state_dict()
    for name, one in coded.items():
        checks.require(
            name in state and tuple(state[name].shape) == tuple(one.shape),
            f"the network has no tensor {name!r} of shape {tuple(one.shape)}; it has "
            f"{ {n: tuple(t.shape) for n, t in state.items()} }",
        )
    body = names_of(state)
    for name, value in state.items():
        body += written(coded.get(name) or plain(value))
    content = MAGIC + zlib.crc32(body).to_bytes(4, "little") + body[4:]
    result = Compressed(content, model)
    return reported(result, result.report)


def load(path, model) -> Compressed:
    """The compressed network in a file that `Compressed.save` wrote.

    model: a network of the class that was compressed, as its constructor makes it; it is not changed. Layers of which
    units were removed take the sizes that they have in the file.
    Raises ValueError where the file is damaged, cut off, of another network, or was not written by `save`.
    """
    try:
        return Compressed(Path(path).read_bytes(), model)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def names_of(state) -> bytes:
    return zlib.crc32("\n".join(state).encode()).to_bytes(4, "little")


def written(coded) -> bytes:
    number = NUMBERS[coded.scheme]
    result = bytes([number]) + b"".join(map(varint, coded.shape))
    for part in SCHEMES[number][1]:
        result += varint(len(coded.parts[part])) + coded.parts[part]
    return result


def read(content, state) -> dict:
    """For each name in `state` its (Coded, tensor). ValueError for whatever `compressed` did not write for it."""
    body = names_of(state) + content[8:]
    checks.require(
        content[:4] == MAGIC, "it is no compressed network of this course"
    )
    checks.require(
        int.from_bytes(content[4:8], "little") == zlib.crc32(body),
        "its checksum is wrong: it is damaged, cut off, or of another network",
    )
    found, at = {}, 8
    for name, own in state.items():
        checks.require(
            at < len(content) and content[at] in SCHEMES,
            f"{name} is missing, or stored in a way that this version does not know",
        )
        scheme, parts, make = SCHEMES[content[at]]
        at, shape, data = at + 1, (), {}
        for size in own.shape:
            length, at = number_at(content, at)
            checks.require(
                length <= size,
                f"{name} has the size {length}, and at most {size} in the network",
            )
            shape += (length,)
        for part in parts:
            length, at = number_at(content, at)
            checks.require(
                at + length <= len(content), f"the {part} of {name} are cut off"
            )
            data[part], at = content[at : at + length], at + length
        try:
            value = make(data, shape, own.dtype)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        found[name] = Coded(scheme, shape, data), value
    checks.require(
        at == len(content), f"{len(content) - at} bytes follow the last tensor"
    )
    return found

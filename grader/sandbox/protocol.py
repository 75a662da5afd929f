"""How values cross between the grader and a student's process: as data, read by libraries that can execute nothing.

A message is a header in msgpack and a block of tensors in safetensors. What is read is checked against limits on
elements, depth and length before anything is built from it. This file is in both processes, so it imports no other of
the grader's.
"""

import itertools
import math
import re
import struct
from typing import Literal, Union

import msgspec
import numpy as np
import safetensors
import safetensors.torch
import torch

BYTES = 256_000_000  # of a message
NODES, ELEMENTS, DEPTH, TEXT, DIGITS, ITEMS = 100_000, 64_000_000, 30, 1_000_000, 400, 10_000
PREFIX = struct.Struct(">II")  # the lengths of the header and of the tensors
# Of safetensors' names: what a student's function may return.
DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


class Refused(Exception):
    """A value cannot cross: why, in a sentence that a student can read."""


# --- what crosses -----------------------------------------------------------------------------------------------------


class Whole(msgspec.Struct, array_like=True, tag="whole"):
    """An int of more than 64 bits."""

    digits: str


class Array(msgspec.Struct, array_like=True, tag="array"):
    """The tensor with this number in the block; numpy: it was an array."""

    number: int
    numpy: bool


class Sequence(msgspec.Struct, array_like=True, tag="sequence"):
    kind: Literal["list", "tuple"]
    items: list["Value"]


class Mapping(msgspec.Struct, array_like=True, tag="mapping"):
    items: list[tuple["Value", "Value"]]


class Examples(msgspec.Struct, array_like=True, tag="split"):
    x: Array
    y: Array


class TaskWithoutTest(msgspec.Struct, array_like=True, tag="task"):
    name: str
    train: Examples
    validation: Examples
    classes: list[int]


class Network(msgspec.Struct, array_like=True, tag="network"):
    """A network of lllcourse.models: the constructor's arguments follow from the state and `more`."""

    kind: str
    more: dict[str, list[int]]
    state: dict[str, Array]
    training: bool


Value = Union[  # noqa: UP007 (the names are not defined in its order)
    None, bool, int, float, str, Whole, Array, Sequence, Mapping, Examples, TaskWithoutTest, Network
]


class Run(msgspec.Struct, tag="run"):
    """To the worker: run a cell. Its role says in which namespace; `names` are those that cross afterwards."""

    id: str
    cell: str
    role: Literal["given", "student-side", "solution", "added"]
    source: str
    names: list[str] = []


class Call(msgspec.Struct, tag="call"):
    """To the worker: call a student's function, or the one that a student-side cell defined."""

    id: str
    name: str
    bound: bool
    args: list[Value]
    kwargs: dict[str, Value]


class Reply(msgspec.Struct):
    """From the worker. error: the name of an exception's type and its text; refused: why the value cannot cross.

    callables, values: of the names that a cell should define, which are functions and which are plain values.
    """

    id: str
    value: Value = None
    error: tuple[str, str] | None = None
    refused: str | None = None
    callables: list[str] = []
    values: dict[str, Value] = {}


def write(message, tensors) -> bytes:
    """The bytes of a message, whose values `Writer` made, with the tensors that it collected."""
    header = msgspec.msgpack.encode(message)
    block = safetensors.torch.save({str(i): t for i, t in enumerate(tensors)}) if tensors else b""
    if len(header) + len(block) > BYTES:
        raise Refused(f"it is larger than the {BYTES // 1_000_000} MB that may cross")
    return PREFIX.pack(len(header), len(block)) + header + block


def read(kind, content: bytes):
    """The message in these bytes, of the type `kind`, and a Reader of its values.

    Raises Refused for whatever is no such message.
    """
    if len(content) < PREFIX.size:
        raise Refused("the message is cut")
    length, block = PREFIX.unpack_from(content)
    if len(content) != PREFIX.size + length + block:
        raise Refused("the message is cut")
    try:
        message = msgspec.msgpack.decode(content[PREFIX.size : PREFIX.size + length], type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused(f"the message cannot be read ({type(error).__name__})") from None
    return message, Reader(content[PREFIX.size + length :])


# --- from values to messages ------------------------------------------------------------------------------------------


class Writer:
    """Turns values into what crosses, and collects their tensors."""

    def __init__(self):
        self.tensors, self.left = [], NODES

    def __call__(self, value, depth=DEPTH):
        """Raises Refused for what does not cross."""
        self.left -= 1
        if depth == 0:
            raise Refused("it is nested too deep, or holds itself")
        if self.left < 0:
            raise Refused(f"it has more than {NODES:,} parts")
        kind = type(value)
        if value is None or kind in (bool, float):
            return value
        if kind is int:
            return self._whole(value)
        if kind is str:
            return self._text(value)
        if isinstance(value, np.generic):
            return self._scalar(value)
        if isinstance(value, torch.nn.Module):
            return self._network(value)
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, np.ndarray):
            return self._array(value)
        if kind.__module__ == "lllcourse.data" and kind.__name__ == "Split":
            return self._split(value)
        if kind.__module__ == "lllcourse.data" and kind.__name__ == "Task":
            parts = (self._split(value.train), self._split(value.validation))
            return TaskWithoutTest(self._text(value.name), *parts, list(value.classes))
        if isinstance(value, dict):
            return Mapping([(self(k, depth - 1), self(v, depth - 1)) for k, v in dict.items(value)])
        if isinstance(value, tuple):
            return Sequence("tuple", [self(item, depth - 1) for item in tuple.__iter__(value)])
        if isinstance(value, list):
            return Sequence("list", [self(item, depth - 1) for item in list.__iter__(value)])
        if hasattr(kind, "__next__"):
            items = list(itertools.islice(value, ITEMS + 1))
            if len(items) > ITEMS:
                raise Refused(f"it is a generator of more than {ITEMS:,} values")
            return Sequence("list", [self(item, depth - 1) for item in items])
        raise Refused(f"it is of the type {_name(kind)}, which the tests cannot use")

    def _whole(self, value):
        if -(2**63) <= value < 2**63:
            return value
        if value.bit_length() > 3 * DIGITS:
            raise Refused(f"it is a whole number of more than {DIGITS} digits")
        return Whole(str(value))

    def _text(self, value):
        if len(value) > TEXT:
            raise Refused(f"it is a text of more than {TEXT:,} characters")
        return value.encode("utf-8", "replace").decode("utf-8")

    def _scalar(self, value):
        if value.dtype.kind not in "biuf":
            raise Refused(f"it is a number of the type {value.dtype}, which the tests cannot use")
        return self(value.item())

    def _array(self, value):
        if value.dtype.kind not in "biuf":
            raise Refused(f"it is an array of {value.dtype}, which the tests cannot use")
        try:
            tensor = torch.from_numpy(np.array(value, order="C"))
        except TypeError:
            raise Refused(f"it is an array of {value.dtype}, which the tests cannot use") from None
        return self._add(tensor, numpy=True)

    def _tensor(self, value):
        if type(value) not in (torch.Tensor, torch.nn.Parameter):
            raise Refused(f"it is a tensor of a class of its own, {_name(type(value))}; return a plain tensor")
        if value.layout != torch.strided or value.is_quantized or value.is_nested:
            raise Refused("it is a sparse, quantized or nested tensor; return a dense one")
        if value.device.type == "meta":
            raise Refused("it is a tensor without values, on the device meta")
        if value.dtype not in DTYPES.values():
            raise Refused(f"it is a tensor of {value.dtype}, which the tests cannot use")
        if value.numel() * value.element_size() > BYTES:
            raise Refused(f"it is larger than the {BYTES // 1_000_000} MB that may cross")
        # A copy: two tensors that share memory, which safetensors refuses, cross as two.
        with torch.no_grad():
            return self._add(value.detach().cpu().resolve_neg().clone(memory_format=torch.contiguous_format))

    def _add(self, tensor, numpy=False):
        self.tensors.append(tensor)
        return Array(len(self.tensors) - 1, numpy)

    def _split(self, value):
        return Examples(self._tensor(value.x), self._tensor(value.y))

    def _network(self, value):
        name = type(value).__name__
        if type(value).__module__.split(".")[:2] != ["lllcourse", "models"] or name not in MODELS:
            raise Refused(f"it is a network of the class {_name(type(value))}; only those of lllcourse.models cross")
        more = {key: [int(n) for n in of(value)] for key, of in MODELS[name][1].items()}
        state = {key: self._tensor(tensor) for key, tensor in value.state_dict().items()}
        return Network(name, more, state, bool(value.training))


def _name(kind):
    return f"{kind.__name__}"[:80].encode("ascii", "replace").decode()


# --- and back ---------------------------------------------------------------------------------------------------------


class Reader:
    """Turns what crossed back into values. Nothing in it is believed."""

    def __init__(self, block: bytes):
        self.left, self.elements, self.tensors = NODES, ELEMENTS, []
        try:
            entries = safetensors.deserialize(bytes(block)) if block else []
            for name, entry in sorted(entries, key=lambda pair: int(pair[0])):
                self.tensors.append(_tensor_of(int(name), len(self.tensors), entry))
        except Refused:
            raise
        except Exception as error:  # a library's word on bytes that anybody may have written
            raise Refused(f"the tensors cannot be read ({type(error).__name__})") from None

    def __call__(self, value, depth=DEPTH):
        """Raises Refused for what does not fit the tensors or the limits."""
        self.left -= 1
        if depth == 0 or self.left < 0:
            raise Refused("it is nested too deep or has too many parts")
        match value:
            case Whole():
                if len(value.digits) > DIGITS + 1 or not re.fullmatch("-?[0-9]+", value.digits):
                    raise Refused("it holds a whole number of too many digits")
                return int(value.digits)
            case Array():
                return self._array(value)
            case Sequence():
                items = [self(item, depth - 1) for item in value.items]
                return items if value.kind == "list" else tuple(items)
            case Mapping():
                try:
                    return {self._key(k, depth - 1): self(v, depth - 1) for k, v in value.items}
                except TypeError:
                    raise Refused("it is a dictionary whose keys are lists, which do not cross") from None
            case Examples():
                return self._split(value)
            case TaskWithoutTest():
                return self._task(value)
            case Network():
                return self._network(value)
            case str() if len(value) > TEXT:
                raise Refused("it holds too long a text")
        return value

    def _key(self, key, depth):
        """A key of a dictionary. Large whole numbers can be chosen so that all keys collide, which takes minutes."""
        parts = key.items if isinstance(key, Sequence) else [key]
        if any(isinstance(part, (Whole, Sequence)) for part in parts):
            raise Refused("it is a dictionary whose keys are neither numbers, texts nor tuples of these")
        return self(key, depth)

    def _array(self, value):
        if not 0 <= value.number < len(self.tensors):
            raise Refused("a tensor is missing")
        tensor = self.tensors[value.number]
        self.elements -= tensor.numel()  # a message may name one tensor many times, and some of it is copied
        if self.elements < 0:
            raise Refused(f"its tensors have more than {ELEMENTS:,} elements")
        if not value.numpy:
            return tensor
        if tensor.dtype == torch.bfloat16:
            raise Refused("it is an array of a type that numpy does not have")
        return tensor.numpy()

    def _split(self, value):
        from lllcourse.data import Split

        try:
            return Split(self._array(value.x), self._array(value.y))
        except ValueError as error:
            raise Refused(f"its Split is none: {error}") from None

    def _task(self, value):
        from lllcourse.data import Task

        train, validation = self._split(value.train), self._split(value.validation)
        try:
            return Task(value.name, train, validation, train[:0], tuple(value.classes))
        except ValueError as error:
            raise Refused(f"its Task is none: {error}") from None

    def _network(self, value):
        from lllcourse import models

        if value.kind not in MODELS or set(value.more) != set(MODELS[value.kind][1]):
            raise Refused("it is no network of lllcourse.models")
        if any(not 1 <= n <= 1024 for numbers in value.more.values() for n in numbers):
            raise Refused("its network is too large")
        state = {key: self._array(array) for key, array in value.state.items()}
        if not all(isinstance(t, torch.Tensor) for t in state.values()):
            raise Refused("its network's state holds something else than tensors")
        dtypes = {t.dtype for t in state.values() if t.is_floating_point()}
        if len(dtypes) != 1:
            raise Refused("its network's parameters are of more than one type")
        try:
            model = _built(models, value.kind, state, value.more).to(dtypes.pop())
            model.load_state_dict(state)
        except Exception as error:  # shapes that do not fit raise many kinds
            raise Refused(f"its network's state does not fit a {value.kind} ({type(error).__name__})") from None
        return model.train(value.training)


def _tensor_of(number, expected, entry):
    if number != expected or entry["dtype"] not in DTYPES:
        raise Refused(f"it is a tensor of {entry['dtype']}, which the tests cannot use")
    dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
    if len(shape) > 64 or math.prod(max(n, 1) for n in shape) >= 2**62:
        raise Refused("it is a tensor of an impossible shape")
    if not math.prod(shape):
        return torch.empty(shape, dtype=dtype)
    if dtype == torch.bool and np.frombuffer(entry["data"], np.uint8).max() > 1:
        raise Refused("it is a tensor of truth values that are neither true nor false")
    return torch.frombuffer(bytearray(entry["data"]), dtype=dtype).reshape(shape)


# --- the networks -----------------------------------------------------------------------------------------------------
# For each class the constructor's arguments, read off the tensors that came, and how many weights such a network has at
# least: nobody can order one that is larger than what was sent.


def _chain(state, prefix=""):
    """The sizes of linear layers in a row, and how many weights they have."""
    layers = sum(name.startswith(f"{prefix}layers.") and name.endswith("weight") for name in state)
    weights = [state[f"{prefix}layers.{i}.weight"] for i in range(layers)]
    sizes = [weights[0].shape[1], *(w.shape[0] for w in weights)]
    return sizes, sum((i + 1) * o for i, o in itertools.pairwise(sizes))


def _mlp(state, more):
    sizes, count = _chain(state)
    return sizes, {}, count


def _vae(state, more):
    (inputs, hidden, code), count = _chain(state, "encoder.")
    return [inputs], {"hidden": hidden, "code": code // 2}, count + hidden * (code // 2 + inputs)


def _lenet(state, more):
    first, second = (state[f"convolutions.{i}.weight"].shape[0] for i in range(2))
    hidden, outputs = state["hidden.weight"].shape[0], state["answer.weight"].shape[0]
    depth, *sides = more["image"]
    rows, columns = (((side - 4) // 2 - 4) // 2 for side in sides)
    count = 25 * first * (depth + second) + hidden * (second * rows * columns + outputs)
    return [(first, second), hidden, outputs], {"image": more["image"]}, count


def _resnet(state, more):
    blocks = sum(name.endswith("norms.0.weight") for name in state)
    channels = [state[f"blocks.{i}.norms.0.weight"].shape[0] for i in range(blocks)]
    outputs = state["answer.weight"].shape[0]
    count = 9 * sum(i * o + o * o for i, o in zip((channels[0], *channels), channels, strict=False))
    return [channels, outputs], {"image": more["image"]}, count + channels[-1] * outputs + 9 * more["image"][0]


def _reader(state, more):
    (words, width), answers = state["words"].shape, state["answer.weight"].shape[0]
    rows, length = state["order"].shape[0], state["places"].shape[0]
    blocks = sum(name.endswith("ask.weight") for name in state)
    kwargs = {"width": width, "blocks": blocks, "heads": more["heads"][0]}
    return [words, answers, rows, length], kwargs, width * (words + rows + length + answers + 6 * blocks * width)


# class: those, and what the state does not tell with the way to read it off a network
MODELS = {
    "MLP": (_mlp, {}),
    "VAE": (_vae, {}),
    "LeNet5": (_lenet, {"image": lambda model: model.image}),
    "SmallResNet": (_resnet, {"image": lambda model: model.image}),
    "Reader": (_reader, {"heads": lambda model: [model.blocks[0].heads]}),
}


def _built(models, kind, state, more):
    args, kwargs, count = MODELS[kind][0](state, more)
    if count > sum(t.numel() for t in state.values()):
        raise ValueError("larger than what was sent")
    return getattr(models, kind)(*args, **kwargs)

"""Values cross between grader and worker as they are, or are refused with a reason; bytes that anybody wrote build
nothing that they did not pay for.
"""

import math

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox import protocol
from lllcourse import models
from lllcourse.data import Split, Task, digits


def across(value):
    """The value at the other end."""
    writer = protocol.Writer()
    message = protocol.Reply("id", value=writer(value))
    reply, reader = protocol.read(protocol.Reply, protocol.write(message, writer.tensors))
    return reader(reply.value)


def alike(a, b):
    if isinstance(a, torch.Tensor):
        return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(alike, a.values(), b.values()))
    return type(a) is type(b) and (a == b or a != a)


tensors = st.builds(
    lambda shape, dtype: (torch.arange(math.prod(shape)).reshape(shape) % 2).to(dtype),
    st.lists(st.integers(0, 3), max_size=4),
    st.sampled_from(list(protocol.DTYPES.values())),
)
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | tensors
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(values)
def test_a_value_crosses_as_it_is(value):
    try:
        got = across(value)
    except protocol.Refused as why:
        assert "digits" in str(why)  # of a very large whole number
        return
    expected = value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
    assert alike(expected, got)


def test_arrays_and_numbers_of_numpy_cross():
    assert across(np.float32(0.5)) == 0.5 and across(np.bool_(True)) is True
    array = across(np.arange(6, dtype=np.int16).reshape(2, 3)[:, ::2])
    assert isinstance(array, np.ndarray) and array.tolist() == [[0, 2], [3, 5]]


def test_a_generator_crosses_as_a_list():
    assert across(n * n for n in range(4)) == [0, 1, 4, 9]


def test_examples_and_a_task_cross_without_the_test_images():
    task = digits()
    got = across(task)
    assert isinstance(got, Task) and len(got.test) == 0 and got.classes == task.classes
    assert torch.equal(got.train.x, task.train.x) and torch.equal(got.validation.y, task.validation.y)
    assert isinstance(across(task.train[:3]), Split)


NETWORKS = {
    "MLP": lambda: models.MLP(5, 4, 3),
    "one layer": lambda: models.MLP(4, 2),
    "LeNet5": lambda: models.LeNet5((3, 4), 7, 5, image=(2, 20, 24)),
    "SmallResNet": lambda: models.SmallResNet((4, 4, 6), 3, image=(1, 12, 12)),
    "VAE": lambda: models.VAE(9, 6, 2),
    "Reader": lambda: models.Reader(11, 3, 4, 5, width=8, blocks=1, heads=2),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_network_of_the_course_crosses_with_its_weights_type_and_mode(name, dtype):
    network = NETWORKS[name]().to(dtype).eval()
    got = across(network)
    assert type(got) is type(network) and not got.training and across(network.train()).training
    assert alike(dict(network.state_dict()), dict(got.state_dict()))


REFUSED = {
    "a class of its own": (object(), "of the type object"),
    "a function": (len, "cannot use"),
    "a sparse tensor": (torch.eye(2).to_sparse(), "return a dense one"),
    "a tensor without values": (torch.zeros(2, device="meta"), "without values"),
    "a complex tensor": (torch.zeros(2, dtype=torch.complex64), "cannot use"),
    "a tensor of a subclass": (torch.zeros(2).as_subclass(type("Own", (torch.Tensor,), {})), "plain tensor"),
    "a huge tensor that is one number": (torch.zeros(1).expand(10**12), "larger than"),
    "a huge whole number": (10**100_000, "digits"),
    "a long text": ("x" * 2_000_000, "characters"),
    "an endless generator": ((0 for _ in iter(int, 1)), "generator"),
    "objects in an array": (np.array([object()]), "array of object"),
    "another network": (torch.nn.Linear(2, 2), "only those of lllcourse.models"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_test_could_use_is_refused_with_the_reason(what):
    value, words = REFUSED[what]
    with pytest.raises(protocol.Refused, match=words):
        across(value)


def test_a_list_that_holds_itself_and_one_without_end_are_refused():
    own = []
    own.append(own)
    deep = []
    for _ in range(1000):
        deep = [deep]
    for value in (own, deep, [0] * 200_000):
        with pytest.raises(protocol.Refused):
            across(value)


# --- bytes that anybody wrote --------------------------------------------------------------------------------------


def forged(value, *tensors):
    content = protocol.write(protocol.Reply("id", value=value), list(tensors))
    reply, reader = protocol.read(protocol.Reply, content)
    return reader(reply.value)


def network(state, kind="MLP", more=None):
    names = {name: protocol.Array(i, False) for i, name in enumerate(state)}
    return forged(protocol.Network(kind, more or {}, names, True), *state.values())


FORGED = {
    "a tensor that was not sent": lambda: forged(protocol.Array(3, False)),
    "a negative number of a tensor": lambda: forged(protocol.Array(-1, False), torch.zeros(2)),
    "labels that are no labels": lambda: forged(
        protocol.Examples(protocol.Array(0, False), protocol.Array(0, False)), torch.zeros(2, 2)
    ),
    "one tensor, named often": lambda: forged(
        protocol.Sequence("list", [protocol.Array(0, False)] * 100), torch.zeros(1_000_000, dtype=torch.int8)
    ),
    "a dictionary with lists for keys": lambda: forged(protocol.Mapping([(protocol.Sequence("list", []), 1)])),
    "digits that are none": lambda: forged(protocol.Whole("1e999")),
    "too many digits": lambda: forged(protocol.Whole("9" * 5000)),
    "an empty network": lambda: network({"layers.0.weight": torch.zeros(10**6, 0)}),
    "a network larger than what was sent": lambda: network(
        {"layers.0.weight": torch.zeros(10**6, 0), "layers.1.weight": torch.zeros(10**6, 0)}
    ),
    "a network of an unknown class": lambda: network({"x": torch.zeros(1)}, "Sequential"),
    "a network with a key too many": lambda: network({**models.MLP(2, 2).state_dict(), "x": torch.zeros(1)}),
    "a LeNet for large images": lambda: network(
        dict(models.LeNet5().state_dict()), "LeNet5", {"image": [1024, 1024, 1024]}
    ),
    "a Reader with half a head": lambda: network(dict(models.Reader(5, 2).state_dict()), "Reader", {"heads": [3]}),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_message_is_refused(what):
    with pytest.raises(protocol.Refused):
        FORGED[what]()


WHOLE = protocol.write(protocol.Reply("id", value=protocol.Array(0, False)), [torch.arange(6.0)])


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.booleans())
def test_damaged_bytes_give_a_tensor_or_a_refusal(place, byte, cut):
    content = WHOLE[:place] if cut else WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :]
    try:
        reply, reader = protocol.read(protocol.Reply, content)
        value = reader(reply.value)
    except protocol.Refused:
        return
    assert value is None or isinstance(value, (torch.Tensor, np.ndarray, bool, int, float, str))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(content):
    header = protocol.PREFIX.pack(len(content), 0) + content
    try:
        protocol.read(protocol.Reply, header)
    except protocol.Refused:
        pass


def test_deep_nesting_in_a_message_is_refused():
    inner = msgspec.msgpack.encode(None)
    for _ in range(5000):
        inner = b"\x93\xa8sequence\xa4list\x91" + inner
    content = b"\x82\xa2id\xa1x\xa5value" + inner
    with pytest.raises(protocol.Refused):
        reply, reader = protocol.read(protocol.Reply, protocol.PREFIX.pack(len(content), 0) + content)
        reader(reply.value)

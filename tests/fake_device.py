"""A device to test on where there is no GPU: it computes on the CPU, and refuses what a GPU would refuse.

Its tensors hold their values in a tensor on the CPU and say that they live on the device "fake". It refuses operands on
two devices (a GPU takes tensors without dimensions from the CPU, and indices of an indexing), generators of the CPU,
and to become an array of numpy. `operations` counts what runs on it, `synchronisations` lists what would make the CPU
wait for a GPU.
"""

from collections import Counter
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

aten = torch.ops.aten
COPIES = {aten._to_copy.default, aten.copy_.default}
INDEXING = {
    aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._unsafe_index.Tensor,
    aten._index_put_impl_.default,
}  # fmt: skip
WAITS = {aten._local_scalar_dense.default, aten.nonzero.default, aten.equal.default, aten.masked_select.default}


class _Backend(backend_registration._DummyBackendModule):
    """What torch asks of a device's module: here a generator of its own, which `fork_rng` puts back, and the types of
    mixed precision.
    """

    def __init__(self):
        self.seed = 0

    def manual_seed_all(self, seed):
        self.seed = seed

    def get_rng_state(self, device=0):
        return torch.tensor([self.seed])

    def set_rng_state(self, state, device=0):
        self.seed = state.item()

    def get_amp_supported_dtype(self):
        return [torch.float16, torch.bfloat16]


backend_registration._setup_privateuseone_for_python_backend("fake", _Backend())
# It computes at once: what measures time has nothing to wait for.
torch.accelerator.synchronize = lambda *_: None
DEVICE = torch.device("fake", 0)


class OnDevice(torch.Tensor):
    """A tensor on the device. held: its values, a tensor on the CPU."""

    @staticmethod
    def __new__(cls, held):
        shape = {"strides": held.stride(), "storage_offset": held.storage_offset()}
        return torch.Tensor._make_wrapper_subclass(cls, held.shape, dtype=held.dtype, device=DEVICE, **shape)

    def __init__(self, held):
        self.held = held

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})

    def tolist(self):
        return self.cpu().tolist()

    def numpy(self, *args, **kwargs):
        raise TypeError("can't convert a tensor on the fake device to numpy; copy it to the CPU first")

    def __array__(self, *args, **kwargs):
        return self.numpy()

    def __format__(self, spec):  # as a plain tensor: a single number is formatted as one
        return format(self.tolist(), spec) if self.dim() == 0 else super().__format__(spec)

    def __repr__(self):
        return f"OnDevice({self.held})"


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})


VECTOR_TIMES = {torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__}


class _Before(TorchFunctionMode):
    """What the mode above does not see rightly.

    `torch.tensor(list, device=...)` does not ask it, nor does `x.new_tensor(list)`: make the tensor on the CPU and copy
    it. Nor does `x[list]`, which makes the list a tensor on the device: index with one of the CPU. A vector times a
    matrix is made with `squeeze_`, which changes the shape of the tensor that is held and not that of ours: take the
    other order. `x.data = y` leaves what x holds as it was: let it hold what y holds.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in VECTOR_TIMES and isinstance(args[0], OnDevice) and (args[0].dim(), args[1].dim()) == (1, 2):
            return args[1].T.mv(args[0])
        if func is torch.Tensor.__getitem__ and isinstance(args[0], OnDevice) and isinstance(args[1], list):
            return args[0][torch.tensor(args[1])]
        if func is torch.Tensor.new_tensor and isinstance(args[0], OnDevice) and "device" not in kwargs:
            return args[0].held.new_tensor(*args[1:], **kwargs).to(DEVICE)
        if func == torch.Tensor.data.__set__ and isinstance(args[0], OnDevice) and isinstance(args[1], OnDevice):
            args[0].held = args[1].held.detach()
        there = func in (torch.tensor, torch.as_tensor) and torch.device(kwargs.get("device") or "cpu") == DEVICE
        return func(*args, **kwargs | {"device": "cpu"}).to(DEVICE) if there else func(*args, **kwargs)


synchronisations, operations = [], Counter()


def _run(func, args, kwargs):
    leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    here = [leaf for leaf in leaves if isinstance(leaf, OnDevice)]
    wanted = kwargs.get("device")
    to_device = bool(here) if wanted is None else torch.device(wanted).type == DEVICE.type
    if not here and not to_device:
        return func(*args, **kwargs)
    _refuse(func, leaves, here, kwargs)
    operations[func] += 1
    if func in WAITS or any(leaf.dtype == torch.bool for leaf in leaves[1:]) and func in INDEXING:
        synchronisations.append(func)
    if wanted is not None:
        kwargs = kwargs | {"device": "cpu"}
        if here and not to_device:
            synchronisations.append(func)

    holders = {id(leaf.held): leaf for leaf in here}
    args, kwargs = tree_map(lambda leaf: leaf.held if isinstance(leaf, OnDevice) else leaf, (args, kwargs))
    result = func(*args, **kwargs)

    def wrapped(value):
        if not isinstance(value, torch.Tensor) or not to_device:
            return value
        # what was changed in place is still the same tensor
        return holders[id(value)] if id(value) in holders else OnDevice(value)

    return tree_map(wrapped, result)


def _refuse(func, leaves, here, kwargs):
    if isinstance(kwargs.get("generator"), torch.Generator):
        raise RuntimeError(f"{func}: expected a generator of the fake device, but found one of the CPU")
    strangers = [leaf for leaf in leaves if not isinstance(leaf, OnDevice) and leaf.dim()]
    if func in INDEXING and isinstance(leaves[0], OnDevice):
        strangers = []
    if here and strangers and func not in COPIES:
        raise RuntimeError(f"{func}: expected all tensors to be on the same device, but found fake:0 and cpu")


@contextmanager
def fake_device():
    """Inside, the device can be used: `model.to(DEVICE)`."""
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with _Mode(), _Before():
            yield DEVICE
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)

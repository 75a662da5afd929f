"""Replay out of a memory of few bits: the same bytes hold more examples, each of them coarser.

    q = round((2^b - 1) x),      x^ = q / (2^b - 1),      |x - x^| <= 1 / (2 (2^b - 1)),      x in [0, 1]

An image of 784 numbers takes 3,136 bytes in single precision, 784 at 8 bits (which is how these digits came), 98 at
one bit, black or white. Its label takes a byte, and the outputs that it competes with a bit each. So `bytes` of memory
keep

    n = bytes // (ceil(784 b / 8) + 1 + ceil(outputs / 8))      examples.

Rounding as in chapter 15, with a fixed range: a pixel has one, a weight has not. Storing old examples compressed to
keep more of them: Riemer et al. 2017, "Scalable recollections for continual lifelong learning" (arXiv:1711.06761),
by an autoencoder; Wang et al. 2022, "Memory replay with data compression for continual learning" (arXiv:2202.06592).
"""

import torch

from .. import checks
from .memory import Reservoir
from .recorder import nbytes
from .replay import Replay

BITS = (1, 2, 4, 8)  # that fill a byte


def rounded(x, bits):
    """The codes of x in [0, 1], uint8 from 0 to 2^bits - 1, of the shape of x."""
    return ((2**bits - 1) * x).round().byte()


def values(codes, bits, dtype=torch.float32):
    """What codes stand for, in [0, 1]."""
    return codes.to(dtype) / (2**bits - 1)


def pack(codes, bits):
    """Codes (n, values), uint8 below 2^bits, side by side in bytes: (n, ceil(values * bits / 8)), uint8."""
    each = 8 // bits
    gap = -codes.shape[1] % each
    codes = torch.nn.functional.pad(codes, (0, gap)).unflatten(1, (-1, each))
    places = bits * torch.arange(each, device=codes.device)
    return (codes.long() << places).sum(-1).byte()


def unpack(data, bits, count):
    """The codes (n, count) that `pack` packed, uint8."""
    places = bits * torch.arange(8 // bits, device=data.device)
    codes = (data.long()[..., None] >> places) & (2**bits - 1)
    return codes.flatten(1)[:, :count].byte()


def bytes_of_one(count, bits, outputs):
    """The bytes of one example of so many numbers, with its label and its outputs."""
    return -(-count * bits // 8) + 1 - (-outputs // 8)


class FewBits(Reservoir):
    """A reservoir whose examples lie in it with few bits: packed when they are added, unpacked when they are drawn."""

    def __init__(self, size, bits, seed=0):
        super().__init__(size, seed)
        self.bits, self.like, self.outputs = bits, None, 0

    def add(self, x, y, own):
        """Examples (n, ...) with values in [0, 1], their labels (n,) below 256, their outputs (n, outputs)."""
        checks.require(
            x.is_floating_point(),
            f"examples are {x.dtype}; numbers in [0, 1] can be kept in few bits, words cannot: use Replay",
        )
        inside = x.is_meta or bool(((x >= 0) & (x <= 1)).all() and (y < 256).all())
        checks.require(
            inside,
            "examples must lie in [0, 1], and labels below 256, to be kept in few bits: scale them",
        )
        self.like, self.outputs = x[:0], own.shape[1]
        codes = rounded(x.flatten(1), self.bits)
        super().add(pack(codes, self.bits), y.byte(), pack(own.byte(), 1))

    def draw(self, n):
        data, y, own = super().draw(n)
        shape = self.like.shape[1:]
        codes = unpack(data, self.bits, shape.numel())
        x = values(codes, self.bits, self.like.dtype).unflatten(1, shape)
        return [x, y.long(), unpack(own, 1, self.outputs).bool()]


class QuantizedReplay(Replay):
    """Experience replay whose old examples take `bits` bits a number: 1, 2, 4 or 8. For examples in [0, 1].

    memory: how many examples are kept in all. batch, seed: as for `Replay`. `storage` counts the packed bytes.
    Raises ValueError for other numbers of bits, and as `Replay` does; once a task is learned, for examples that are
    not numbers in [0, 1] (tokens, say), and for more than 256 labels.
    """

    def __init__(self, memory, bits, batch=32, seed=0):
        super().__init__(memory, batch, seed)
        checks.one_of("bits", bits, BITS)
        self.memory = FewBits(memory, bits, seed)

    def storage(self):
        return nbytes(*self.memory.kept)

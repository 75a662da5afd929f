"""Codes of a few bits each, packed one after another: n codes of b bits take exactly ceil(n b / 8) bytes.

A tensor that is stored in another way than as plain numbers is a `Coded`: the name of the scheme that `compressed`
reads it by, and the bytes of each of its parts.
"""

from dataclasses import dataclass

import numpy as np
import torch

from .. import checks


@dataclass(frozen=True)
class Coded:
    """scheme: a name in `compressed.SCHEMES`. shape: of the tensor. parts: from what it is to its bytes."""

    scheme: str
    shape: tuple
    parts: dict


def pack(codes, bits) -> bytes:
    """The codes, whole numbers from 0 to 2^bits - 1 of any shape, with the highest bit first; the last byte is filled
    up with zeros. Raises ValueError where a code does not fit.

    >>> pack(torch.tensor([1, 2, 3]), 2).hex()  # 01 10 11 00
    '6c'
    """
    bits = checks.whole("bits", bits, least=1)
    codes = torch.as_tensor(codes).flatten().to("cpu", torch.int64)
    checks.require(
        len(codes) == 0 or (codes.min() >= 0 and codes.max() < 2**bits),
        f"codes must be from 0 to {2**bits - 1}, so that each fits into {bits} bits",
    )
    places = torch.arange(bits - 1, -1, -1)
    return np.packbits(
        (codes[:, None] >> places & 1).numpy().astype(np.uint8)
    ).tobytes()


def unpack(data, bits, n) -> torch.Tensor:
    """The n codes that `pack` packed, int64 (n,). Raises ValueError where `data` has another length than theirs."""
    bits, n = checks.whole("bits", bits, least=1), checks.whole("n", n)
    checks.require(
        len(data) == -(-n * bits // 8),
        f"{n} codes of {bits} bits take {-(-n * bits // 8)} bytes, and there are {len(data)}",
    )
    flat = np.unpackbits(np.frombuffer(data, np.uint8), count=n * bits)
    places = torch.arange(bits - 1, -1, -1)
    return (torch.from_numpy(flat).view(n, bits).long() << places).sum(1)

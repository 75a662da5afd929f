"""A layer with shared weights in few bytes: its codebook, where it is not zero, and which centre stands there.

Read row by row, a layer with z weights that are not zero is z pairs (zeros before it, index of its centre). Short gaps
and some centres are frequent, so both are Huffman-coded; a gap too long for the alphabet of G symbols is written as
several of G - 1 zeros without a weight after them:

    bytes = 2 k + Huffman(gaps) + Huffman(indices),        k centres of 2 bytes each.

Han, Mao and Dally 2016, "Deep Compression" (arXiv:1510.00149), whose gaps have a fixed number of bits.
"""

from math import prod

import torch

from .. import checks
from .huffman import decode, encode
from .packing import Coded
from .varint import number_at, varint

ALPHABETS = (2, 4, 8, 16, 32, 64, 128, 256)  # G, of which each layer takes the best
CENTRES = 256  # at most, so that an index takes a byte at most


def gaps(index, G):
    """The symbols that say where `index` (n,) is not zero: g < G - 1 for a weight after g zeros, G - 1 for that many
    zeros and no weight. Zeros behind the last weight are not written. int64 (symbols,).

    >>> gaps(torch.tensor([0, 0, 5, 7, 0, 0, 0, 6]), 4)
    tensor([2, 0, 3, 0])
    """
    places = index.nonzero()[:, 0]
    before = places.diff(prepend=places.new_tensor([-1])) - 1
    long, rest = before // (G - 1), before % (G - 1)
    at = (long + 1).cumsum(0) - 1  # of the symbol that has the weight
    symbols = places.new_full((int((long + 1).sum()),), G - 1)
    return symbols.index_copy(0, at, rest)


def places_of(symbols, G, n):
    """Where the weights stand that `gaps` wrote down, int64 (weights,); ValueError where one is not among n places."""
    weight = symbols < G - 1
    places = (symbols + weight).cumsum(0) - 1
    checks.require(
        len(symbols) == 0 or (bool(weight[-1]) and int(places[-1]) < n),
        "its gaps lead beyond its last place",
    )
    return places[weight]


def coded(codebook, index) -> Coded:
    """The tensor codebook[index - 1], where an index of 0 is a zero, as bytes. The centres are rounded to 2 bytes.

    codebook: (k,), at most 256 centres. index: from 0 to k, of the shape of the tensor.
    Raises ValueError for centres that 2 bytes cannot hold, and for more of them.
    """
    checks.require(
        len(codebook) <= CENTRES,
        f"the codebook has {len(codebook)} centres; it may have {CENTRES}, so that an index takes a byte at most",
    )
    centres, flat = codebook.detach().cpu().half(), index.cpu().flatten()
    checks.require(
        bool(centres.isfinite().all()),
        "the codebook has centres beyond 65,504, the largest number of 2 bytes, or not finite",
    )
    tries = []
    for G in ALPHABETS:
        symbols = gaps(flat, G)
        tries.append(varint(len(symbols)) + bytes([G - 1]) + encode(symbols))
    parts = {
        "codebook": centres.numpy().tobytes(),
        "positions": min(tries, key=len),
        "indices": encode(flat[flat > 0] - 1),
    }
    return Coded("shared", tuple(index.shape), parts)


def from_shared(parts, shape, dtype):
    """The tensor that `coded` made these parts of. Raises ValueError for parts that it did not make."""
    book, at_most = parts["codebook"], prod(shape)
    checks.require(
        len(book) % 2 == 0 and len(book) <= 2 * CENTRES,
        f"a codebook of {len(book)} bytes is none of up to {CENTRES} centres",
    )
    centres = torch.frombuffer(bytearray(book) or bytearray(2), dtype=torch.float16)
    checks.require(
        bool(centres.isfinite().all()) and (dtype.is_floating_point or not book),
        f"its centres are not finite, or no numbers of {dtype}",
    )
    count, at = number_at(parts["positions"], 0)
    checks.require(
        count <= at_most and at < len(parts["positions"]),
        f"its positions are cut off, or {count} gaps are more than its {at_most} places",
    )
    G, at = parts["positions"][at] + 1, at + 1
    checks.require(G in ALPHABETS, f"{G} is no number of symbols for gaps")
    symbols = decode(parts["positions"][at:], count, G)
    places = places_of(symbols, G, at_most)
    index = decode(parts["indices"], len(places), len(book) // 2)
    result = torch.zeros(at_most, dtype=dtype)
    result[places] = centres[index].to(dtype)
    return result.view(shape)

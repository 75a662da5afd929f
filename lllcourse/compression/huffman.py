"""Huffman coding: what occurs often gets few bits, what is rare gets many, and no code is the beginning of another.

The two rarest symbols are joined to one that occurs as often as both, and again, until one is left; every joining adds
a bit to the codes of all symbols in it. No code that gives each symbol a whole number of bits is shorter. With p_k the
share of symbol k, its mean length lies within a bit of the entropy,

    H = - sum_k p_k log2 p_k,        H <= mean length < H + 1.

Huffman 1952, "A method for the construction of minimum-redundancy codes". The codes are the canonical ones (Schwartz
and Kallick 1964, "Generating a canonical prefix encoding"): they count upwards, from the shortest to the longest, so
that their lengths tell them, and only the lengths are stored.
"""

import heapq

import numpy as np
import torch

from .. import checks
from .packing import pack, unpack
from .varint import number_at, varint

MOST = 2**16  # symbols of an alphabet; more would not pay for their table


def lengths(counts):
    """The length of each symbol's code in bits: a dictionary, without those that never occur.

    counts: how often each symbol occurs, from 0 on, (alphabet,). A symbol that is alone takes no bit at all.

    >>> lengths([5, 2, 0, 1])
    {0: 1, 1: 2, 3: 2}
    """
    rows = [(int(n), k, [k]) for k, n in enumerate(counts) if n]
    bits = dict.fromkeys((k for _, k, _ in rows), 0)
    heapq.heapify(rows)
    while len(rows) > 1:
        (n, k, rarest), (m, _, next_) = heapq.heappop(rows), heapq.heappop(rows)
        for symbol in rarest + next_:
            bits[symbol] += 1
        heapq.heappush(rows, (n + m, k, rarest + next_))
    return bits


def canonical(bits):
    """The code of each symbol, a string of 0 and 1, from the lengths of all: the next number, as long as it is.

    >>> canonical({0: 1, 1: 2, 3: 2})
    {0: '0', 1: '10', 3: '11'}
    """
    codes, code, before = {}, 0, 0
    for symbol in sorted(bits, key=lambda k: (bits[k], k)):
        code <<= bits[symbol] - before
        before = bits[symbol]
        codes[symbol] = f"{code:0{before}b}" if before else ""
        code += 1
    return codes


def entropy(counts):
    """The bits a symbol that no code of the symbols one by one can go below: a float, 0 where there are none."""
    p = torch.as_tensor(counts, dtype=torch.float64)
    p = p[p > 0] / p.sum()
    return float(-(p * p.log2()).sum().clamp(max=0))


def encode(symbols) -> bytes:
    """The symbols, whole numbers from 0 on of any shape, as a table of lengths and the codes one after another.

    The table takes the number of symbols (one byte, or two), the bits of an entry (one byte), and the entries: a
    length plus one, or 0 for a symbol that does not occur. Raises ValueError for other values.
    """
    given = torch.as_tensor(symbols).flatten().cpu()
    symbols = given.long()
    if len(symbols) == 0:
        return b""
    checks.require(
        not given.is_floating_point()
        and symbols.min() >= 0
        and symbols.max() < MOST,
        f"symbols must be whole numbers from 0 to {MOST - 1:,}, the places of an alphabet",
    )
    counts = torch.bincount(symbols).tolist()
    bits = lengths(counts)
    entries = [bits.get(k, -1) + 1 for k in range(len(counts))]
    width = max(entries).bit_length()
    codes = canonical(bits)
    text = "".join(map(codes.get, symbols.tolist()))
    ones = np.frombuffer(text.encode(), np.uint8) - ord("0")
    head = varint(len(counts)) + bytes([width]) + pack(entries, width)
    return head + np.packbits(ones).tobytes()


def decode(data, n, alphabet):
    """The n symbols that `encode` made these bytes of, int64 (n,).

    alphabet: how many symbols there can be. Raises ValueError for bytes that `encode` did not make of n such symbols.
    """
    if n == 0:
        checks.require(not data, f"{len(data)} bytes for no symbol")
        return torch.zeros(0, dtype=torch.int64)
    size, at = number_at(data, 0)
    checks.require(
        size <= alphabet and at < len(data),
        f"a code for {size} symbols is cut off, or has more than {alphabet}",
    )
    width, at = data[at], at + 1
    checks.require(1 <= width <= 6, "a code has lengths of 1 to 6 bits")
    end = at + -(-size * width // 8)
    entries = unpack(data[at:end], width, size).tolist()
    bits = {k: entry - 1 for k, entry in enumerate(entries) if entry}
    checks.require(
        sum(2 ** (64 - length) for length in bits.values()) == 2**64,
        "the lengths of a code do not fit together",
    )
    return torch.tensor(read(data[end:], n, bits), dtype=torch.int64)


def read(data, n, bits):
    """The first n symbols in these bytes, a list; ValueError unless they fill them up to the last byte.

    Among the codes of one length the first is known, and the others count upwards from it: a number tells at once
    whether it is a code of this length, and of which symbol.
    """
    order = sorted(bits, key=lambda k: (bits[k], k))
    longest = bits[order[-1]]
    checks.require(
        len(data) <= -(-n * longest // 8),
        f"{len(data)} bytes are more than {n} symbols take",
    )
    if longest == 0:  # one symbol, which is alone
        return order * n
    of_length = [[] for _ in range(longest + 1)]
    for symbol in order:
        of_length[bits[symbol]].append(symbol)
    first, code = [], 0
    for symbols in of_length:
        first.append(code)
        code = 2 * (code + len(symbols))
    found, number, length, last = [], 0, 0, 0
    stream = np.unpackbits(np.frombuffer(data, np.uint8)).tobytes()
    for place, bit in enumerate(stream):
        number += number + bit
        length += 1
        if number - first[length] < len(of_length[length]):
            found.append(of_length[length][number - first[length]])
            number, length, last = 0, 0, place + 1
            if len(found) == n:
                break
    checks.require(len(found) == n, f"{n - len(found)} of {n} symbols are cut off")
    checks.require(
        len(stream) - last < 8 and not any(stream[last:]),
        "something follows the last symbol",
    )
    return found

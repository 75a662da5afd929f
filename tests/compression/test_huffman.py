"""Huffman's code: as short as can be, told by its lengths alone, and safe to read whatever the bytes are."""

import heapq
import math
import time
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lllcourse.compression import huffman
from lllcourse.compression.huffman import canonical, decode, encode, entropy, lengths

COUNTS = st.lists(st.integers(0, 1000), min_size=1, max_size=40).filter(any)
SYMBOLS = st.lists(st.integers(0, 20), max_size=200)


def mean_length(counts):
    return sum(counts[k] * b for k, b in lengths(counts).items()) / sum(counts)


# --- as short as can be ---------------------------------------------------------------


def total_by_merging(counts):
    """The bits of an optimal code, without any code: the sum of what is joined, over all joinings."""
    heap, total = [n for n in counts if n], 0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        total += joined
        heapq.heappush(heap, joined)
    return total


@given(COUNTS)
@settings(deadline=None, max_examples=150)
def test_the_length_is_the_optimum_and_within_a_bit_of_the_entropy(counts):
    assert sum(counts[k] * b for k, b in lengths(counts).items()) == total_by_merging(counts)
    H = entropy(counts)
    assert H - 1e-9 <= mean_length(counts) < H + 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_no_prefix_code_at_all_is_shorter(counts):
    """Brute force over all lengths for which a prefix code exists (Kraft's inequality)."""
    best = min(
        sum(n * b for n, b in zip(counts, bits, strict=True))
        for bits in product(range(len(counts)), repeat=len(counts))
        if sum(2.0**-b for b in bits) <= 1
    )
    assert sum(counts[k] * b for k, b in lengths(counts).items()) == best


def test_powers_of_two_reach_the_entropy_exactly():
    counts = [8, 4, 2, 1, 1]
    assert lengths(counts) == {0: 1, 1: 2, 2: 3, 3: 4, 4: 4}
    assert mean_length(counts) == entropy(counts) == 1.875


def test_the_entropy_is_that_of_its_formula():
    assert entropy([1, 1, 1, 1]) == 2 and entropy([5]) == entropy([0, 7, 0]) == entropy([]) == entropy([0]) == 0
    p = np.random.default_rng(0).dirichlet(np.ones(9))
    assert entropy(p) == pytest.approx(-(p * np.log2(p)).sum())
    assert entropy(torch.tensor([3, 1])) == pytest.approx(2 - 0.75 * math.log2(3))


# --- the canonical code ---------------------------------------------------------------


@given(COUNTS)
@settings(deadline=None, max_examples=150)
def test_the_code_is_prefix_free_complete_and_told_by_its_lengths(counts):
    bits = lengths(counts)
    codes = canonical(bits)
    assert {k: len(c) for k, c in codes.items()} == bits and set(codes) == {k for k, n in enumerate(counts) if n}
    in_order = sorted(codes.values())
    assert not any(b.startswith(a) for a, b in zip(in_order, in_order[1:], strict=False))
    assert sum(2.0 ** -len(c) for c in codes.values()) == 1
    # canonical: codes grow with length, and among equals with the symbol
    order = sorted(codes, key=lambda k: (bits[k], k))
    assert [codes[k] for k in order] == in_order


def test_the_worked_example():
    assert canonical(lengths([5, 2, 0, 1])) == {0: "0", 1: "10", 3: "11"}
    assert canonical({4: 0}) == {4: ""} and canonical({}) == {} and lengths([]) == lengths([0, 0]) == {}


# --- bytes ----------------------------------------------------------------------------


@given(SYMBOLS, st.integers(0, 5))
@settings(deadline=None, max_examples=200)
def test_what_is_encoded_is_decoded(symbols, more):
    data = encode(torch.tensor(symbols, dtype=torch.int64))
    found = decode(data, len(symbols), max(symbols, default=0) + 1 + more)
    assert found.tolist() == symbols and found.dtype == torch.int64


def test_nothing_takes_nothing_and_one_symbol_takes_its_table_alone():
    assert encode([]) == b"" and decode(b"", 0, 5).tolist() == []
    for n in (1, 1000):
        data = encode([3] * n)
        assert len(data) == 3 and decode(data, n, 4).tolist() == [3] * n
    assert len(encode([0, 1])) == 4


def test_the_bytes_are_table_and_codes():
    symbols = torch.tensor([0] * 5 + [1] * 2 + [3])
    data = encode(symbols)
    # 4 entries of 2 bits: 2 3 0 3; then 00000 10 10 11
    assert data == bytes([4, 2, 0b10110011, 0b00000101, 0b01100000])
    assert encode(symbols.view(2, 4)) == data == encode(symbols.to(torch.uint8))


def test_a_whole_network_is_read_in_a_second_or_so():
    generator = torch.Generator().manual_seed(0)
    symbols = (40 * torch.randn(266_610, generator=generator)).long().clamp(-128, 127) + 128
    data, start = encode(symbols), time.process_time()
    assert torch.equal(decode(data, len(symbols), 256), symbols)
    assert time.process_time() - start < 4  # about 1 on an idle machine
    assert len(data) < 1.01 * len(symbols) * entropy(symbols.bincount()) / 8 + 300


def test_long_codes_are_right():
    counts = [1, 1]
    while len(counts) < 24:
        counts.append(counts[-1] + counts[-2])  # Fibonacci: the deepest tree of all
    assert max(lengths(counts).values()) == 23
    symbols = torch.arange(24).repeat_interleave(torch.tensor(counts))
    shuffled = symbols[torch.randperm(len(symbols), generator=torch.Generator().manual_seed(0))]
    assert torch.equal(decode(encode(shuffled), len(shuffled), 24), shuffled)


# --- what is refused ------------------------------------------------------------------


@pytest.mark.parametrize("symbols", [[-1, 2], [2**16], [0.5, 1.0]])
def test_other_symbols_are_refused(symbols):
    with pytest.raises(ValueError, match="symbols must be whole numbers from 0 to 65,535"):
        encode(symbols)


@pytest.mark.parametrize(
    ("data", "n", "message"),
    [
        (b"", 1, "it is cut off"),
        (b"\x04", 1, "cut off, or has more than 9"),
        (b"\x0a\x01\xff\xff", 1, "has more than 9"),
        (b"\x04\x00", 1, "lengths of 1 to 6 bits"),
        (b"\x04\x02", 1, "take 1 bytes, and there are 0"),
        (bytes([4, 2, 0b10110000, 0]), 1, "do not fit together"),  # incomplete
        (bytes([4, 2, 0b10101010, 0]), 1, "do not fit together"),  # too full
        (bytes([4, 2, 0, 0]), 1, "do not fit together"),  # empty
        (bytes([4, 2, 0b10110011, 0]), 9, "1 of 9 symbols are cut off"),
        (bytes([4, 2, 0b10110011, 0b00000101, 0b01100001]), 8, "something follows"),
        (bytes([4, 2, 0b10110011, 0b00000101, 0b01100000, 0]), 8, "more than 8 symbols take|something follows"),
        (bytes([4, 2, 0b10110011, *[0] * 100]), 8, "101? bytes are more than 8 symbols take|100 bytes"),
        (b"\x01", 0, "1 bytes for no symbol"),
        (bytes([1, 1, 128, 0]), 5, "1 bytes are more than 5 symbols take"),
    ],
)
def test_bytes_of_another_kind_are_refused(data, n, message):
    with pytest.raises(ValueError, match=message):
        decode(data, n, 9)


@given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 300))
@settings(deadline=None, max_examples=300)
def test_any_bytes_give_symbols_or_a_valueerror(data, n, alphabet):
    try:
        found = decode(data, n, alphabet)
    except ValueError:
        return
    assert len(found) == n and (n == 0 or 0 <= int(found.min()) and int(found.max()) < alphabet)


@given(SYMBOLS.filter(len), st.data())
@settings(deadline=None, max_examples=200)
def test_damaged_bytes_give_other_symbols_or_a_valueerror(symbols, data):
    content = bytearray(encode(symbols))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = decode(bytes(content), len(symbols), 21)
    except ValueError:
        return
    assert len(found) == len(symbols)


def test_symbols_are_left_as_they_were():
    symbols = torch.tensor([3, 1, 3])
    before, drawn = symbols.clone(), torch.get_rng_state()
    decode(encode(symbols), 3, 4)
    assert torch.equal(symbols, before) and torch.equal(drawn, torch.get_rng_state())
    assert huffman.MOST == 65_536

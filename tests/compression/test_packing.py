"""Codes of b bits take b bits: exactly so many bytes, and every code comes back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lllcourse.compression.packing import pack, unpack


@given(st.integers(1, 16).flatmap(lambda b: st.tuples(st.just(b), st.lists(st.integers(0, 2**b - 1), max_size=70))))
@settings(deadline=None, max_examples=200)
def test_every_width_and_every_length_comes_back_and_takes_the_fewest_bytes(drawn):
    bits, codes = drawn
    data = pack(torch.tensor(codes, dtype=torch.int64), bits)
    assert len(data) == -(-len(codes) * bits // 8)
    assert unpack(data, bits, len(codes)).tolist() == codes


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 7, 8, 9, 15, 17, 63, 65])
def test_the_bytes_are_one_whole_number_in_base_two(bits, n):
    """Against Python's own arithmetic: the codes are its digits, and zeros fill up the last byte."""
    codes = torch.randint(2**bits, (n,), generator=torch.Generator().manual_seed(n))
    whole = 0
    for code in codes.tolist():
        whole = whole * 2**bits + code
    length = -(-n * bits // 8)
    assert pack(codes, bits) == (whole << (8 * length - n * bits)).to_bytes(length, "big")


def test_codes_of_any_shape_and_type_are_packed_in_their_order():
    codes = torch.arange(12).view(3, 4)
    same = [codes.byte(), codes.int(), codes.T.contiguous().T, codes.flatten().tolist()]
    assert {pack(one, 4) for one in same} == {pack(codes, 4)}
    assert pack(torch.tensor([True, False, True]), 1) == b"\xa0"


@pytest.mark.parametrize(("bits", "bad"), [(1, 2), (2, 4), (3, 8), (8, 256), (4, -1)])
def test_a_code_that_does_not_fit_is_refused(bits, bad):
    with pytest.raises(ValueError, match=f"codes must be from 0 to {2**bits - 1}, so that each fits into {bits} bits"):
        pack(torch.tensor([0, bad]), bits)


@pytest.mark.parametrize("length", [0, 1, 3, 40])
def test_data_of_another_length_is_refused(length):
    with pytest.raises(ValueError, match=f"5 codes of 3 bits take 2 bytes, and there are {length}"):
        unpack(bytes(length), 3, 5)


@pytest.mark.parametrize("bits", [0, -1, 1.5, True, "2"])
def test_bits_that_are_no_number_of_bits_are_refused(bits):
    with pytest.raises(ValueError, match="bits is .*; it must be a whole number, 1 or more"):
        pack(torch.tensor([0]), bits)
    with pytest.raises(ValueError, match="bits is .*; it must be a whole number, 1 or more"):
        unpack(b"\0", bits, 1)

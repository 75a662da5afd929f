"""Whole numbers in few bytes: seven bits each, the lowest first, the eighth bit set where more follow (LEB128)."""

from .. import checks


def varint(number) -> bytes:
    """A whole number from 0 on in seven bits a byte.

    >>> varint(300).hex()
    'ac02'
    """
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def number_at(content, at):
    """The number that `varint` wrote at this place, and the place behind it; ValueError where none ends."""
    number = 0
    for shift in range(0, 63, 7):
        checks.require(at < len(content), "it is cut off")
        byte, at = content[at], at + 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
    raise ValueError("a length has more than nine bytes")

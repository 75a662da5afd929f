"""Quantisation: each weight is one of 2^b equally spaced values, and its number among them is all that is stored.

    q = clamp(round(w / scale) + zero_point, 0, 2^b - 1),      w^ = scale * (q - zero_point)

`scale` is the distance of neighbouring values, `zero_point` the number of the value 0, which is always one of them: a
weight that was pruned stays exactly zero. Both are taken from the smallest and the largest weight, of the whole tensor
or of each output channel, so that no weight moves by more than scale / 2. Affine: the values reach just as far as the
weights. Symmetric: equally far below zero and above, with 2^b - 1 of the codes.

Only weights are rounded. Biases, batch norm and activations stay in full precision.

Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference"
(arXiv:1712.05877). Per channel: Krishnamoorthi 2018, "Quantizing deep convolutional networks for efficient inference"
(arXiv:1806.08342).
"""

from dataclasses import dataclass
from math import prod

import torch

from .. import checks
from .packing import Coded, pack, unpack
from .rounding import straight_through, with_rule


def quantize(w, scale, zero_point, bits):
    """The code of each weight, uint8: a whole number from 0 to 2^bits - 1, of the shape of w.

    scale and zero_point: as `scale_and_zero_point` gives them.
    """
    checks.finite(w=w, scale=scale)
    return steps(w, scale, zero_point).clamp(0, 2 ** width(bits) - 1).byte()


def dequantize(codes, scale, zero_point):
    """The weights that codes stand for, in the precision of `scale`."""
    return scale * (codes - zero_point)


def steps(w, scale, zero_point):
    return (w / scale).round() + zero_point


def scale_and_zero_point(w, bits, *, per_channel=False, symmetric=False):
    """The step between two values, and the code of zero, from the smallest and the largest weight.

    w: a tensor; its output channels are those of its first dimension. bits: from 2 to 8.
    Returns scale, of the type of w, and zero_point, int32, both of a shape that broadcasts to that of w: (o, 1, ...)
    per channel, else (1, 1, ...). Where all weights are zero, or next to it (1e-36), scale is 1.

    Raises ValueError for other numbers of bits, an empty tensor, and channels of a tensor without any.
    """
    last = 2 ** width(bits) - 1
    checks.require(
        w.numel() > 0,
        f"w has the shape {tuple(w.shape)}: there is nothing to quantise",
    )
    checks.require(
        w.ndim > 1 or not per_channel,
        f"w has the shape {tuple(w.shape)}, and no channels: take per_channel=False",
    )
    w, dims = w.detach(), tuple(range(int(per_channel), w.ndim))
    below, above = (  # how far weights reach to both sides of zero
        (side * w).amax(dims, keepdim=True).clamp(min=0) for side in (-1, 1)
    )
    if symmetric:
        last -= 1  # as many codes below zero as above
        below = above = torch.maximum(below, above)
    scale = below / last + above / last
    scale = torch.where(scale > torch.finfo(w.dtype).tiny, scale, 1)
    if symmetric:
        return scale, torch.full_like(scale, last // 2, dtype=torch.int32)
    return scale, (below / scale).round().int()


def fake_quantize(w, scale, zero_point, bits):
    """The weights that the codes of w stand for, with a gradient: 1 where w lies in the range of codes, 0 outside."""
    with torch.no_grad():
        q = steps(w, scale, zero_point)
        nearest = q.clamp(0, 2 ** width(bits) - 1)
        inside = (q == nearest).to(w)
        value = dequantize(nearest, scale, zero_point)
    return straight_through(value, w, inside)


def width(bits):
    bits = checks.whole("bits", bits)
    checks.require(
        2 <= bits <= 8,
        f"bits is {bits}; it must be from 2 to 8 (one bit, the sign, is `binary.binarized`)",
    )
    return bits


@dataclass(frozen=True)
class Affine:
    """The rule of a quantised layer. Its range follows the weights, also while they are trained."""

    bits: int
    per_channel: bool = False
    symmetric: bool = False

    def range_of(self, w):
        how = {"per_channel": self.per_channel, "symmetric": self.symmetric}
        return scale_and_zero_point(w, self.bits, **how)

    def __call__(self, w, training):
        return fake_quantize(w, *self.range_of(w), self.bits)

    def coded(self, w) -> Coded:
        """One byte for the number of bits; a scale for each channel or for all; their zero points, unless symmetric,
        in as many bits as a code has; the codes.
        """
        scale, zero_point = self.range_of(w)
        codes = quantize(w, scale, zero_point, self.bits)
        parts = {
            "bits": bytes([self.bits]),
            "scales": number_bytes(scale),
            "zero points": b"" if self.symmetric else pack(zero_point, self.bits),
            "codes": pack(codes, self.bits),
        }
        return Coded("affine", tuple(w.shape), parts)


def quantized(model, bits, *, per_channel=False, symmetric=False):
    """A copy of `model` that computes with weights of so many bits, in its linear and convolutional layers.

    As it comes, it is quantised after training. Train it, and it is quantised in training: the float weights that it
    keeps are moved by the gradients of the rounded ones. `rounding.rounded` makes an ordinary network of it, and
    `compressed(rounded(new), coded(new))` the file.

    bits: from 2 to 8. per_channel: a scale for each output channel, instead of one a layer. symmetric: see above.
    The network's `.report` tells the bytes of the weights before and after.

    Raises ValueError for other numbers of bits, a network whose weights are rounded already or shared, and where no
    byte would be saved.

    >>> from lllcourse.models import MLP
    >>> print(quantized(MLP(4, 8, 2), 4).report)
    bytes: 36 of 192 left
      layers.0: 22 of 128
      layers.1: 14 of 64
    """
    return with_rule(model, Affine(width(bits), per_channel, symmetric))


# --- from the file -----------------------------------------------------------------------


def from_affine(parts, shape, dtype):
    """The tensor that `Affine.coded` wrote; ValueError for parts that it could not have written."""
    checks.require(
        len(parts["bits"]) == 1 and prod(shape) > 0, "it has no number of bits"
    )
    bits = width(parts["bits"][0])
    scale = numbers(parts["scales"], shape, dtype)
    middle = 2 ** (bits - 1) - 1
    zero_point = torch.full_like(scale, middle, dtype=torch.int64)
    if parts["zero points"]:
        zero_point = unpacked(parts["zero points"], bits, scale.shape)
    codes = unpacked(parts["codes"], bits, shape)
    value = dequantize(codes, scale, zero_point)
    checks.finite(weights=value)
    return value


def unpacked(data, bits, shape):
    codes = unpack(data, bits, prod(shape)).view(shape)
    checks.require(
        pack(codes, bits) == data, "the bits that fill up its last byte are not 0"
    )
    return codes


def number_bytes(values) -> bytes:
    return values.detach().cpu().contiguous().numpy().tobytes()


def numbers(data, shape, dtype):
    """One number for all, or one for each output channel, of a shape that broadcasts; each above 0."""
    size = torch.empty((), dtype=dtype).element_size()
    n = len(data) // size
    checks.require(
        n in {1, *shape[:1]} and len(data) == n * size,
        f"{len(data)} bytes of scales are neither one nor one for each channel",
    )
    found = torch.frombuffer(bytearray(data), dtype=dtype)
    checks.require(
        bool((found.isfinite() & (found > 0)).all()),
        "its scales are not all finite and above 0",
    )
    return found.view(n, *[1] * (len(shape) - 1)) if shape else found.view(())

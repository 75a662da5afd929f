"""The graded training run of the assignment `quantization`: `python -m grader reference` makes the band of its test.

The package counts codes from 0 and keeps all dimensions of w; the assignment has signed codes, numbers and vectors.
"""

import torch

from grader.assignment import Experiment
from lllcourse.compression import quantization


def range_of(w, bits):
    scale, zero_point = quantization.scale_and_zero_point(w, bits)
    return scale.item(), zero_point.item() - 2 ** (bits - 1)


def to_codes(w, scale, zero_point, bits):
    half = 2 ** (bits - 1)
    codes = quantization.quantize(w, torch.as_tensor(scale), zero_point + half, bits)
    return (codes.short() - half).char()


def from_codes(codes, scale, zero_point):
    return quantization.dequantize(codes.to(torch.float32), scale, zero_point)


def channel_ranges(w, bits, dim):
    channels = w.movedim(dim, 0).flatten(1)
    scales, zero_points = quantization.scale_and_zero_point(channels, bits, per_channel=True)
    return scales.flatten(), zero_points.flatten() - 2 ** (bits - 1)


def fake_quantize(w, scale, zero_point, bits):
    return quantization.fake_quantize(w, scale, zero_point + 2 ** (bits - 1), bits)


EXPERIMENTS = {
    "quantization.digits": Experiment(
        assignment="quantization",
        test="test-training",
        reference={
            "range_of": range_of,
            "to_codes": to_codes,
            "from_codes": from_codes,
            "channel_ranges": channel_ranges,
            "fake_quantize": fake_quantize,
        },
        constants=("SIZES", "BATCH", "EPOCHS_BEFORE", "LR_BEFORE", "EPOCHS", "LR"),
    )
}

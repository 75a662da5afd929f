"""What the assignment `quantization` alone claims: its examples, its training, its k-means, its figure."""

import contextlib
import copy
import io
import itertools
import math
import re
from functools import cache

import matplotlib.pyplot as plt
import pytest
import torch

from grader import reference
from lllcourse import training
from lllcourse.compression import huffman, packing, quantization, quantized
from lllcourse.compression.clustering import kmeans, nearest
from lllcourse.compression.rounding import rounded

from ..grader.harness import rests_on, source

prove = pytest.mark.prove(on=lambda: rests_on("quantization", __file__))
NAMES = source("quantization").namespace()
PACKAGE = reference.experiments()["quantization.digits"].reference


@cache
def text(cell):
    return source("quantization").cell(cell).source


@cache
def printed(*demos):
    """What these demos print, the figure and its panels aside, one after another in one namespace."""
    names, out = dict(NAMES), io.StringIO()
    with contextlib.redirect_stdout(out):
        for demo in demos:
            exec(compile(text(demo), f"<{demo}>", "exec"), names)
    plt.close("all")
    return out.getvalue()


# --- the examples by hand -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("w", "bits", "shown"),
    [((-0.5, 0.25, 1, 1.6), 3, "(0.3, −2)"), ((-0.5, 0.25, 1, 1.6), 2, "(0.7, −1)"), ((1.4, 0.35), 3, "(0.2, −4)")],
)
def test_the_examples_of_question_1_follow_from_the_package(w, bits, shown):
    scale, zero_point = PACKAGE["range_of"](torch.tensor(w), bits)
    assert shown == f"({scale:.1f}, {zero_point})".replace("-", "−") and shown in text("range-text")


def table_rows(cell):
    """The numbers of each row of a Markdown table: row -> list."""
    rows = [line.strip("|").split("|") for line in text(cell).splitlines() if line.startswith("| ")]
    return [[float(field.strip(" *").replace("−", "-")) for field in row[1:]] for row in rows]


def test_the_table_of_question_2_follows_from_the_package():
    w, steps, q, codes, values = map(torch.tensor, table_rows("codes-text"))
    assert torch.allclose(w / 0.5, steps) and torch.equal(steps.round() - 1, q)
    assert torch.equal(PACKAGE["to_codes"](w, 0.5, -1, 3).float(), codes)
    assert torch.equal(PACKAGE["from_codes"](codes, 0.5, -1), values)


def test_the_table_of_question_5_follows_from_the_package():
    w, q, values, arriving, gradient = map(torch.tensor, table_rows("fake-quantize-text"))
    w.requires_grad_()
    value = PACKAGE["fake_quantize"](w, torch.tensor(0.5), -1, 2)
    assert torch.equal(value, values) and torch.equal((w / 0.5).round() - 1, q)
    assert torch.equal(NAMES["gradient_of"]((value * arriving).sum(), w), gradient)


def test_the_example_of_question_4_is_the_bound_of_chapter_15():
    for bits, bound in ((3, 1 / 14), (4, 1 / 30), (8, 1 / 510)):
        scale, _ = PACKAGE["range_of"](torch.tensor([-0.2, 0.8]), bits)
        assert math.isclose(scale / 2, bound, rel_tol=1e-5)
    assert PACKAGE["range_of"](torch.tensor([-1.0, 2.0]), 2)[0] / 2 == 0.5
    for shown in ("1/14 = 0.0714", "1/30 = 0.033", "1/510 = 0.00196"):
        assert shown in text("bits-needed-text")


@pytest.mark.parametrize("bits", range(2, 9))
def test_no_weight_moves_by_more_than_the_bound(bits):
    draw = torch.Generator().manual_seed(bits)
    for shift in (-3, 0, 3):
        w = torch.randn(2000, generator=draw) + shift
        scale, zero_point = NAMES["range_of"](w, bits)
        codes = NAMES["to_codes"](w, scale, zero_point, bits)
        assert (NAMES["from_codes"](codes, scale, zero_point) - w).abs().max() <= scale / 2 * (1 + 1e-4)


def test_the_examples_of_part_c_follow_from_the_package():
    counts, words = [12, 5, 0, 3, 1], ["0", "10", "", "110", "111"]
    canonical = huffman.canonical(huffman.lengths(counts))
    assert [canonical.get(k, "") for k in range(5)] == words
    index = torch.tensor(list(itertools.chain(*([k] * n for k, n in enumerate(counts)))))
    fixed, coded, bound = NAMES["layer_bytes"](index, words)
    assert (fixed, coded) == (18, 20) and f"**{bound:.3f}**" in text("layer-bytes-text")
    assert f"H = {huffman.entropy(counts):.4f}" in text("layer-bytes-text")
    assert fixed - 10 == len(packing.pack(index, 3))
    lengths = huffman.lengths([7, 4, 0, 2, 1])
    assert lengths == {0: 1, 1: 2, 3: 3, 4: 3}


# --- what is given ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("per_channel", [False, True])
def test_the_given_training_is_the_packages_quantisation_aware_training(per_channel):
    """The package's quantised network, its biases kept, takes the same steps."""
    names = NAMES | {"EPOCHS": 2}
    split = names["task"].train[:640]
    network = names["MLP"](*names["SIZES"], seed=3)
    ours = source("quantization").namespace(PACKAGE)["fine_tune"](network, split, 2, per_channel)
    theirs = quantized(copy.deepcopy(network), 2, per_channel=per_channel)
    for layer in theirs.layers:
        layer.bias.requires_grad_(False)
    how = {"batch_size": names["BATCH"]}
    training.train(theirs, split, epochs=2, lr=names["LR"], seed=100, **how)
    training.train(theirs, split, epochs=1, lr=names["LR"] / 5, seed=101, **how)
    for layer, other in zip(ours.layers, theirs.layers, strict=True):
        assert torch.allclose(layer.weight, other.weight, atol=1e-3)
        assert torch.equal(layer.bias, other.bias)


def test_the_given_rounding_is_the_packages():
    network = NAMES["MLP"](*NAMES["SIZES"], seed=4)
    for per_channel in (False, True):
        ours = NAMES["rounded"](network, 3, per_channel)
        theirs = rounded(quantized(network, 3, per_channel=per_channel))
        for layer, other in zip(ours.layers, theirs.layers, strict=True):
            assert torch.allclose(layer.weight, other.weight, atol=1e-6)


def test_the_given_k_means_ends_where_the_packages_does():
    w = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    codebook, index = NAMES["share"](w, 6, steps=200)
    centres = kmeans(w, 6).float()
    assert torch.allclose(codebook, centres, atol=1e-5)
    assert torch.equal(index, nearest(w, centres))


def test_the_reference_of_the_band_and_the_solution_agree():
    draw = torch.Generator().manual_seed(1)
    for bits in (2, 4, 8):
        w = torch.randn(7, 9, generator=draw)
        ours, theirs = NAMES["channel_ranges"](w, bits, 1), PACKAGE["channel_ranges"](w, bits, 1)
        assert all(torch.allclose(a, b.to(a)) for a, b in zip(ours, theirs, strict=True))
        pair = PACKAGE["range_of"](w, bits)
        assert torch.equal(NAMES["to_codes"](w, *pair, bits), PACKAGE["to_codes"](w, *pair, bits))
        unsigned = quantization.scale_and_zero_point(w, bits)
        assert torch.equal(
            PACKAGE["to_codes"](w, *pair, bits).int() + 2 ** (bits - 1), quantization.quantize(w, *unsigned, bits).int()
        )


def test_nothing_given_says_how_a_question_is_answered():
    given = "\n".join(cell.source for cell in source("quantization").role("given", "student-side"))
    for answer in ("round(", "clamp", ".amin", "bincount", "heappop", "argmin", "log2", "where("):
        assert answer not in given


# --- the figure and the model answer ------------------------------------------------------------------------------


@prove
def test_the_model_answer_says_what_the_printout_shows():
    """Up to some images of 1,500, which other processors may round otherwise; the bytes exactly."""
    lines, answer = printed("sweep").splitlines(), text("interpretation")
    numbers = [[float(x) for x in re.findall(r"\d\.\d{3}", line)] for line in lines]
    dense, _, _, longer = numbers[0]
    tensor, tensor_trained, channel, channel_trained = numbers[2:6]
    shown = {
        "they reach 0.943": dense,
        "0.938 per tensor": tensor[2],
        "0.940 per channel": channel[2],
        "to 0.783": tensor[3],
        "channel 0.913": channel[3],
        "0.783 to 0.939": tensor_trained[3],
        "0.913 to 0.947": channel_trained[3],
        "0.943 to 0.951": longer,
    }
    for phrase, value in shown.items():
        assert phrase.removeprefix("they ") in " ".join(answer.split()).replace("With 32 bits the networks", "")
        assert abs(float(re.findall(r"0\.\d{3}", phrase)[-1]) - value) < 0.006, phrase
    few, many = (re.findall(r"\d+", line)[-1] for line in lines[6:8])
    assert f"{int(few):,} bytes per tensor" in answer and f"{int(many):,} per channel" in answer
    assert f"{int(many) - int(few):,} more, or {100 * (int(many) / int(few) - 1):.1f} %" in answer


@prove
def test_two_bits_do_what_the_assignment_says():
    """Rounding to two bits breaks down per tensor; training brings most of it back; channels are better."""
    lines = printed("sweep").splitlines()
    numbers = [[float(x) for x in re.findall(r"\d\.\d{3}", line)] for line in lines[2:6]]
    tensor, tensor_trained, channel, channel_trained = (row[3] for row in numbers)
    assert tensor < 0.85 < 0.9 < channel < tensor_trained < channel_trained


def test_the_coded_file_lies_between_the_bound_and_indices_of_fixed_length():
    lines = printed("share-demo", "bytes-demo").splitlines()
    rows = [re.findall(r"(?:fixed|coded|bound) +([\d,]+)", line) for line in lines if "bound" in line]
    sizes = [[int(n.replace(",", "")) for n in row] for row in rows]
    assert len(sizes) == 5 and all(bound < coded for _, coded, bound in sizes)
    assert all(coded < fixed for fixed, coded, _ in sizes[1:])

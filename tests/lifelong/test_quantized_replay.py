"""A memory of few bits: rounding within half a step, exact packing, and at eight bits replay itself, bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lllcourse import tasks
from lllcourse.data import Split, Task
from lllcourse.lifelong import Replay, learn
from lllcourse.lifelong.quantized_replay import (
    BITS,
    FewBits,
    QuantizedReplay,
    bytes_of_one,
    pack,
    rounded,
    unpack,
    values,
)
from lllcourse.models import MLP

from ..fake_device import fake_device
from ..looking import Net, same, state
from .harness import weights

each_width = pytest.mark.parametrize("bits", BITS)


def drawn(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def task(x, labels=3):
    data = Split(x, torch.arange(len(x)) % labels)
    return Task("one", data, data, data, tuple(range(labels)))


@each_width
def test_no_number_moves_by_more_than_half_a_step_and_the_ends_stay(bits):
    x = torch.cat([drawn(5000), torch.tensor([0.0, 1.0])])
    codes = rounded(x, bits)
    assert codes.dtype == torch.uint8 and codes.max() == 2**bits - 1 and len(codes.unique()) == 2**bits
    assert (values(codes, bits) - x).abs().max() <= 0.5 / (2**bits - 1) + 1e-6
    assert values(codes, bits)[-2:].tolist() == [0, 1]


@given(st.sampled_from(BITS), st.integers(0, 4), st.integers(1, 40), st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_packing_goes_there_and_back_and_takes_the_bytes_it_says(bits, n, count, seed):
    codes = torch.randint(2**bits, (n, count), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    data = pack(codes, bits)
    assert data.shape == (n, -(-count * bits // 8)) and torch.equal(unpack(data, bits, count), codes)
    if bits == 1:
        assert np.array_equal(data.numpy(), np.packbits(codes.numpy(), axis=1, bitorder="little"))


def test_at_eight_bits_it_is_replay_bit_for_bit_for_the_digits_came_in_bytes():
    nets = [MLP(784, 20, 10) for _ in range(2)]
    methods = Replay(50, seed=3), QuantizedReplay(50, 8, seed=3)
    for method, net in zip(methods, nets, strict=True):
        learn(method, net, tasks.split()[:3], scenario="class", epochs=1)
    assert torch.equal(*map(weights, nets))


@each_width
def test_it_stores_what_the_formula_says(bits):
    method = QuantizedReplay(30, bits)
    learn(method, MLP(13, 4, 3), [task(drawn(40, 13))], epochs=1)
    assert method.storage() == 30 * bytes_of_one(13, bits, 3) == 30 * (-(-13 * bits // 8) + 1 + 1)


def test_shape_and_type_of_the_examples_come_back_with_their_labels_and_outputs():
    memory, x = FewBits(9, 4), drawn(9, 2, 3, 3).double()
    own = torch.tensor([True, False, True, True]).expand(9, -1)
    memory.add(x, torch.arange(9), own)
    old, y, outputs = memory.draw(9)
    assert old.dtype == x.dtype and old.shape == x.shape and y.dtype == torch.int64
    assert (old - x[y]).abs().max() <= 0.5 / 15 + 1e-9 and torch.equal(outputs, own)


@pytest.mark.parametrize("bits", [0, 3, 16, 32, 1.5])
def test_other_numbers_of_bits_are_refused(bits):
    with pytest.raises(ValueError, match="bits is .*one of 1, 2, 4, 8"):
        QuantizedReplay(5, bits)


@pytest.mark.parametrize("x", [torch.tensor([[1.5]]), torch.tensor([[-0.1]]), torch.tensor([[torch.nan]])])
def test_examples_out_of_range_are_refused(x):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        FewBits(5, 8).add(x, torch.zeros(1, dtype=torch.long), torch.ones(1, 2, dtype=torch.bool))


def test_words_and_a_three_hundredth_class_are_refused():
    own = torch.ones(1, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="words cannot"):
        FewBits(5, 8).add(torch.ones(1, 3, dtype=torch.long), torch.zeros(1, dtype=torch.long), own)
    with pytest.raises(ValueError, match="labels below 256"):
        FewBits(5, 8).add(torch.ones(1, 3), torch.tensor([300]), own)


def test_filling_the_memory_only_looks_at_the_network():
    net, method = Net(), QuantizedReplay(5, 2)
    before = state(net)
    method.after_task(net, task(drawn(8, 6)), torch.ones(3, dtype=torch.bool))
    assert same(before, state(net))


def test_it_gives_the_numbers_of_the_cpu_on_another_device():
    def run(device):
        sequence = [task(drawn(40, 12, seed=k)) for k in range(2)]
        learned = learn(QuantizedReplay(9, 2, batch=4), MLP(12, 5, 3).to(device), sequence, scenario="class", epochs=1)
        return learned.R, weights(learned.model).cpu()

    on_cpu = run("cpu")
    with fake_device() as device:
        assert all(map(torch.equal, on_cpu, run(device)))

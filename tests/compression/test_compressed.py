"""The file of a compressed network: every byte counted, read back as it was, and never a wrong or a dangerous one."""

import math
import tracemalloc
import zlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lllcourse.compression import coding, compressed
from lllcourse.compression.clustering import share, shared_layers, without_sharing
from lllcourse.compression.coding import ALPHABETS, from_shared, gaps, places_of
from lllcourse.compression.compressed import Compressed, load
from lllcourse.compression.deep_compression import code, deep_compressed, settled
from lllcourse.compression.huffman import encode
from lllcourse.compression.packing import Coded
from lllcourse.compression.pruning import prune, without_masks
from lllcourse.compression.stages import stages
from lllcourse.compression.structured import prune_units
from lllcourse.compression.varint import number_at, varint
from lllcourse.models import MLP

from .. import zoo as every_kind
from ..looking import Net, same
from ..looking import state as all_of
from .zoo import ZOO, network, state

each_network = pytest.mark.parametrize("name", ZOO)


def made(name, sparsity=0.5, k=4):
    model, x = network(name)
    return code(share(prune(model, sparsity, per_layer=True), k)), x


def halves(tensor):
    return tensor.half().to(tensor)


# --- positions ------------------------------------------------------------------------


@given(st.lists(st.integers(0, 3), max_size=120), st.sampled_from(ALPHABETS))
@settings(deadline=None, max_examples=120)
def test_gaps_say_where_the_weights_are(index, G):
    index = torch.tensor(index, dtype=torch.int64)
    symbols = gaps(index, G)
    assert torch.equal(places_of(symbols, G, len(index)), index.nonzero()[:, 0])
    assert len(symbols) <= len(index) and (len(symbols) == 0 or 0 <= symbols.min() <= symbols.max() < G)
    # written out: each weight has the zeros before it, G - 1 at a time
    expected, before = [], 0
    for i in index.tolist():
        if i == 0:
            before += 1
        else:
            expected += [G - 1] * (before // (G - 1)) + [before % (G - 1)]
            before = 0
    assert symbols.tolist() == expected


@given(st.lists(st.integers(0, 7), max_size=30), st.integers(0, 60))
@settings(deadline=None, max_examples=150)
def test_any_gaps_lead_to_places_in_the_layer_or_are_refused(symbols, n):
    try:
        places = places_of(torch.tensor(symbols, dtype=torch.int64), 8, n)
    except ValueError:
        return
    assert len(places) == 0 or (0 <= places[0] and places[-1] < n and (places.diff() > 0).all())


# --- one tensor -----------------------------------------------------------------------


@given(st.lists(st.integers(0, 5), max_size=80), st.sampled_from([torch.float32, torch.float64, torch.bfloat16]))
@settings(deadline=None, max_examples=80)
def test_a_tensor_comes_back_exactly_but_for_the_rounding_of_its_centres(index, dtype):
    index = torch.tensor(index, dtype=torch.int64)
    book = torch.tensor([-1.25, 1e-5, 0.1, 0.3, 7.0], dtype=dtype)
    one = coding.coded(book, index)
    found = from_shared(one.parts, (len(index),), dtype)
    assert found.dtype == dtype
    assert torch.equal(found, torch.cat([book.new_zeros(1), halves(book)])[index])


def test_the_bytes_are_those_that_the_formula_counts():
    index = torch.tensor([0, 0, 1, 2, 0, 1, 1, 0])
    one = coding.coded(torch.tensor([0.5, -1.0]), index)
    assert len(one.parts["codebook"]) == 4
    tries = [gaps(index, G) for G in ALPHABETS]
    best = min(len(varint(len(g))) + 1 + len(encode(g)) for g in tries)
    assert len(one.parts["positions"]) == best
    assert len(one.parts["indices"]) == 3 + 1  # 0 1 0 0: a table of 2 entries, 4 bits
    constant = coding.coded(torch.tensor([1.0]), torch.ones(1000, dtype=torch.int64))
    assert sum(map(len, constant.parts.values())) < 12
    nothing = coding.coded(torch.zeros(0), torch.zeros(50, dtype=torch.int64))
    assert sum(map(len, nothing.parts.values())) == 2


def test_what_two_bytes_or_an_index_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="centres beyond 65,504"):
        coding.coded(torch.tensor([1e6]), torch.ones(3, dtype=torch.int64))
    with pytest.raises(ValueError, match="257 centres; it may have 256"):
        coding.coded(torch.zeros(257), torch.ones(3, dtype=torch.int64))


# --- a network ------------------------------------------------------------------------


@each_network
def test_the_file_reads_back_to_identical_predictions(name, tmp_path):
    result, x = made(name)
    path = tmp_path / "network"
    assert result.save(path) == result.bytes == path.stat().st_size
    again = load(path, ZOO[name][0](5))
    assert torch.equal(result.restore()(x), again.restore()(x))
    assert same(state(result.restore()), state(again.restore())) and again.parts == result.parts


@each_network
def test_its_size_is_the_sum_of_its_counted_parts(name):
    result, _ = made(name)
    assert result.bytes == len(result.content) == sum(result.parts.values())
    assert set(result.parts) <= {"header", "codebook", "positions", "indices", "values"}
    assert sum(after for _, after in result.report.layers.values()) == result.bytes - result.parts["header"]
    for coded in result.coded.values():
        assert isinstance(coded, Coded)


@each_network
def test_the_network_in_the_file_is_the_shared_one_with_centres_of_two_bytes(name):
    model, x = network(name)
    shared = share(prune(model, 0.4, per_layer=True), 5)
    found = code(shared, few=256).restore()
    for n, layer in shared_layers(shared).items():
        weight = found.get_submodule(n).weight
        assert torch.equal(weight, halves(layer.weight)) and torch.equal(weight == 0, layer.weight == 0)
    plain = without_sharing(shared).eval()
    assert torch.allclose(found(x), plain(x), atol=5e-3) and not found.training
    assert [type(m) for m in found.modules()] == [type(m) for m in plain.modules()]


@each_network
def test_settled_norms_give_the_same_and_keep_two_numbers_a_channel(name):
    model, x = network(name)
    before = all_of(model)
    new = settled(model)
    assert same(before, all_of(model))
    assert torch.allclose(model.eval()(x), new.eval()(x), atol=1e-5)
    for layer in new.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert not layer.running_mean.any() and (layer.running_var == 1).all()


def test_norms_without_statistics_or_without_a_scale_are_left_alone():
    for norm in (nn.BatchNorm1d(3, affine=False), nn.BatchNorm1d(3, track_running_stats=False), nn.LayerNorm(3)):
        model = nn.Sequential(nn.Linear(4, 3), norm)
        assert same(settled(model).state_dict(), model.state_dict())
        x = torch.rand(5, 4)
        found = code(share(model, 2), few=256).restore()
        assert torch.allclose(found(x), without_sharing(share(model, 2)).eval()(x), atol=5e-3)


def test_a_network_that_lost_units_keeps_its_sizes(tmp_path):
    model, x = network("LeNet5")
    small = prune_units(model, x, 0.5)
    result = code(share(prune(small, 0.5, per_layer=True), 4))
    result.save(tmp_path / "small")
    again = load(tmp_path / "small", ZOO["LeNet5"][0](3)).restore()
    assert torch.equal(again(x), result.restore()(x)) and again.hidden.weight.shape == small.hidden.weight.shape


def test_the_pipeline_is_its_three_steps(tmp_path):
    model, x = network("MLP")
    seen, before = [], state(model)

    def train(net):
        seen.append(("train", int(sum(m.mask.sum() for m in net.layers))))

    def tune(net):
        seen.append(("tune", [len(layer.codebook) for layer in shared_layers(net).values()]))
        with torch.no_grad():
            for layer in shared_layers(net).values():
                layer.codebook.mul_(2)

    result = deep_compressed(model, [0.2, 0.5], 3, train, tune, few=256)
    by_hand = share(prune(model, 0.5), 3)
    tune(by_hand)
    assert seen == [("train", 170), ("train", 106), *2 * [seen[-1]]] and seen[-1][0] == "tune"
    assert torch.equal(result.restore().layers[0].weight, halves(by_hand.layers[0].weight))
    assert same(before, state(model))


def test_biases_take_few_values_only_where_that_is_shorter():
    model, _ = network("MLP")
    exact, coarse = (code(share(model, 4), few=few) for few in (256, 2))
    assert coarse.bytes < exact.bytes
    assert len(coarse.restore().layers[0].bias.unique()) == 2
    assert torch.equal(exact.restore().layers[0].bias, halves(model.layers[0].bias))


def test_weights_that_are_not_shared_and_large_numbers_stay_as_they_are():
    model = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(8, 5), nn.LayerNorm(5))
    model[2].bias.data[0] = 1e6
    found = code(share(model, {"2": 3}), few=1).restore()
    assert torch.equal(found[0].weight, model[0].weight) and torch.equal(found[2].bias, model[2].bias)
    assert torch.equal(found[3].weight, model[3].weight)  # all of them 1


@pytest.mark.parametrize("name", every_kind.ZOO)
def test_networks_of_every_kind_are_right_or_refused(name):
    model, (x, _) = every_kind.network(name).eval(), every_kind.examples(name, 5)
    try:
        shared = share(model, 3)
    except ValueError as error:
        assert name in ("weight shared", "weight norm") and "weight" in str(error)
        return
    assert torch.allclose(shared(x), without_sharing(shared)(x))
    assert torch.allclose(code(shared, few=256).restore()(x), shared(x), atol=2e-3)


def test_compressing_changes_nothing_but_what_it_returns():
    net = Net()
    net(torch.rand(20, 6)).sum().backward()
    shared = share(prune(net, 0.3, per_layer=True), 3)
    before = all_of(shared)
    result = code(shared)
    result.restore()
    assert same(before, all_of(shared))


@pytest.mark.parametrize("make", [lambda: nn.LSTM(3, 3), lambda: MLP(4, 3, 2)])
def test_a_network_without_shared_weights_is_refused(make):
    with pytest.raises(ValueError, match="no layer shares its weights: call share"):
        code(make())


def test_the_stages_end_with_the_file_and_begin_with_four_bytes_a_number():
    result, _ = made("LeNet5", 0.7, 4)
    found, plain = stages(result), result.restore()
    numbers = sum(4 * t.numel() for t in plain.state_dict().values())
    assert sum(found["coded"].values()) == result.bytes and sum(found["dense"].values()) == numbers
    layers = [plain.convolutions[0], plain.convolutions[1], plain.hidden, plain.answer]
    kept = [int((layer.weight != 0).sum()) for layer in layers]
    books = [len(result.coded[n].parts["codebook"]) // 2 for n in result.coded if len(result.coded[n].shape) > 1]
    assert found["pruned"]["weights"] == 4 * sum(kept)
    assert found["shared"]["indices"] == sum(
        -(-math.ceil(math.log2(k)) * n // 8) for k, n in zip(books, kept, strict=True)
    )
    assert found["pruned"]["positions"] == sum(
        min(-(-len(gaps(layer.weight.flatten() != 0, G)) * (G.bit_length() - 1) // 8) for G in ALPHABETS)
        for layer in layers
    )


# --- damage ---------------------------------------------------------------------------


def resigned(content, model):
    """The bytes with a checksum that is right for them."""
    body = compressed.names_of(model.state_dict()) + content[8:]
    return content[:4] + zlib.crc32(body).to_bytes(4, "little") + content[8:]


NETWORK, EXAMPLES = network("sequential")
FILE = code(share(prune(NETWORK, 0.6, per_layer=True), 4)).content
PLAIN_MODEL = without_masks(NETWORK)
damage = st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.integers(1, 255)), min_size=1, max_size=6)


@given(damage, st.integers(0, len(FILE)), st.binary(max_size=4))
@settings(deadline=None, max_examples=60)
def test_whatever_was_damaged_the_checksum_tells(flips, end, more):
    content = bytearray(FILE)
    for at, bits in flips:
        content[at] ^= bits
    for bad in (bytes(content), FILE[:end] + more):
        if bad != FILE:
            with pytest.raises(ValueError):
                Compressed(bad, PLAIN_MODEL)


@given(damage, st.integers(-1, len(FILE)), st.binary(max_size=20))
@settings(deadline=None, max_examples=100)
def test_with_a_right_checksum_it_is_a_network_or_a_valueerror_and_never_large(flips, cut, more):
    content = bytearray(FILE)
    for at, bits in flips:
        if at >= 8:
            content[at] ^= bits
    if cut >= 8:
        content[cut:] = more
    try:
        found = Compressed(resigned(bytes(content), PLAIN_MODEL), PLAIN_MODEL)
    except ValueError:
        return
    own = PLAIN_MODEL.state_dict()
    restored = found.restore()
    for name, value in restored.state_dict().items():
        assert value.dtype == own[name].dtype
        assert all(a <= b for a, b in zip(value.shape, own[name].shape, strict=True))
    assert found.bytes == sum(found.parts.values())


@given(st.binary(max_size=200), st.sampled_from(sorted(compressed.SCHEMES)))
@settings(deadline=None, max_examples=80)
def test_any_bytes_under_a_right_checksum_are_refused_or_a_network(rest, scheme):
    model = MLP(3, 2, seed=0)
    content = resigned(compressed.MAGIC + bytes(4) + bytes([scheme, 2, 3]) + rest, model)
    try:
        Compressed(content, model).restore()
    except ValueError:
        return


SIZE = 20_000


@pytest.mark.parametrize(
    "parts",
    [
        {"codebook": b"\0" * 2, "positions": varint(2**60) + b"\x07", "indices": b""},
        {"codebook": b"\0" * 2, "positions": varint(SIZE) + b"\xff" + b"\xff\xff\x7f\x06" + b"\0" * 99, "indices": b""},
        {"codebook": b"\0" * 10**6, "positions": b"\0\x07", "indices": b""},
        {"codebook": b"\0" * 2, "positions": varint(SIZE) + b"\x01\x01\x01\x80" + b"\0" * 10**6, "indices": b""},
        {
            "codebook": b"\0" * 4,
            "positions": varint(SIZE) + b"\x01\x01\x01\x80",
            "indices": b"\x02\x02\xa0" + b"\0" * 10**6,
        },
        {"codebook": b"\x00\x7c", "positions": b"\0\x07", "indices": b""},
        {"codebook": b"\0" * 3, "positions": b"\0\x07", "indices": b""},
        {"codebook": b"", "positions": b"", "indices": b""},
        {"codebook": b"", "positions": b"\x01\x01\x01\x01\x80", "indices": b"\x01\x01\x80"},  # a centre of none
        {"codebook": b"\0\0", "positions": b"\x01\x05\x01\x01\x80", "indices": b"\x01\x01\x80"},  # 6 is no alphabet
        {"codebook": b"\0\0", "positions": b"\x01\x01\x02\x02\x10", "indices": b"\x01\x01\x80"},  # ends in zeros
    ],
)
def test_hostile_parts_are_refused_before_anything_large_is_made(parts):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError):
            from_shared(parts, (SIZE,), torch.float32)
        given = sum(map(len, parts.values()))
        assert tracemalloc.get_traced_memory()[1] < 30 * SIZE + 3 * given
    finally:
        tracemalloc.stop()


def test_places_beyond_the_layer_are_refused():
    one = coding.coded(torch.ones(1), torch.tensor([0, 0, 0, 1]))
    assert from_shared(one.parts, (4,), torch.float32).tolist() == [0, 0, 0, 1]
    with pytest.raises(ValueError, match="beyond its last place"):
        from_shared(one.parts, (3,), torch.float32)
    with pytest.raises(ValueError, match="no numbers of torch.int64"):
        from_shared(one.parts, (4,), torch.int64)


def test_a_file_of_another_network_is_refused(tmp_path):
    result, _ = made("MLP")
    result.save(tmp_path / "network")
    for other in (MLP(12, 9, 4), ZOO["LeNet5"][0](0), MLP(12, 8, 8, 4)):
        with pytest.raises(ValueError, match="cannot be read"):
            load(tmp_path / "network", other)


def test_reading_executes_nothing(tmp_path):
    path = tmp_path / "network"
    torch.save({"layers.0.weight": torch.zeros(2, 2)}, path)  # a pickle, which can execute
    with pytest.raises(ValueError, match="no compressed network of this course"):
        load(path, MLP(2, 2))


# --- whole numbers --------------------------------------------------------------------


@given(st.integers(0, 2**62))
def test_whole_numbers_come_back(number):
    data = varint(number)
    assert number_at(b"\xff" + data + b"\x01", 1) == (number, 1 + len(data))
    assert len(data) == max(1, -(-number.bit_length() // 7))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 9, b"\xff" * 20])
def test_endless_numbers_are_refused(data):
    with pytest.raises(ValueError, match="cut off|more than nine bytes"):
        number_at(data, 0)

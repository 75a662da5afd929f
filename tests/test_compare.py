"""Your own method beside the recorded ones: what is recorded comes out again, and chance is not called a difference."""

import re
import zlib
from functools import partial
from pathlib import Path

import pytest
import torch

from lllcourse import compare
from lllcourse.compare import Comparison
from lllcourse.compression import compressed, dense
from lllcourse.compression.compressed import Compressed
from lllcourse.compression.pruning import prune
from lllcourse.compression.structured import prune_units
from lllcourse.data import digits
from lllcourse.lifelong.method import Method
from lllcourse.lifelong.replay import Replay
from lllcourse.results import FOLDER, over_seeds, recorded

from .proofs import files

FAMILIES = sorted(path for name in ("scenarios", "compress") for path in (FOLDER / name).glob("*.json"))
prove = pytest.mark.prove(on=files("lllcourse/compare.py", "tests/test_compare.py", "book/methods.md", *FAMILIES))


def comparison(own, other):
    rows = {n: {"accuracy": torch.as_tensor(v, dtype=torch.float64)} for n, v in (("own", own), ("other", other))}
    return Comparison(rows, "own", "other")


def test_a_recorded_method_comes_out_as_it_was_recorded():
    found = compare.method(lambda seed: Replay(200, seed=seed), seeds=[1, 0], name="again", beside="replay")
    assert not found.differences.any() and not found.beyond
    assert torch.equal(found.rows["again"]["bytes kept"], found.rows["replay"]["bytes kept"])
    assert found.rows["joint training"]["accuracy"].min() > found.rows["again"]["accuracy"].max()


def test_on_validation_images_too():
    found = compare.method(Method(), scenario="task", seeds=[2], on="validation", beside="fine-tuning")
    assert not found.differences.any() and "one seed" in str(found)


@prove
def test_a_recorded_compression_comes_out_as_it_was_recorded():
    def half_of_the_units(model):
        small = prune_units(model, digits().train.x[:10], 0.5)
        dense.train(small, "LeNet-5", seed=100, lr=0.03)
        return small

    row = "50% of the units"
    found = compare.compression(half_of_the_units, "LeNet-5", seeds=[0], beside=row)
    assert found.differences.abs().max() <= 1  # point: another processor changes the answers to a few of 1,000 images
    for what in ("bytes", "macs", "nonzero"):
        assert torch.equal(found.rows["yours"][what], found.rows[row][what])
    assert 0 < found.rows["yours"]["time (% of dense)"] < 1000


def test_a_compressed_file_counts_with_its_own_bytes():
    found = compare.compression(lambda m: Compressed(small_file(m), m), seeds=[0], on="validation", limit=200_000)
    assert found.rows["yours"]["bytes"] < 200_000
    assert found.rows["yours"]["nonzero"] < 40_000
    record, network = recorded("compress"), "LeNet-300-100"
    within = [r for r in found.rows if r != "yours" and found.rows[r]["bytes"] <= found.rows["yours"]["bytes"]]
    mean = {r: over_seeds(record, network, r, "validation").mean() for r in within}
    assert mean[found.beside] == max(mean.values())  # the best of what is as small


def small_file(model):
    """A file of the network with 15 % of its units."""
    small = prune_units(model, digits().train.x[:10], 0.15)
    body = compressed.names_of(small.state_dict())
    for value in small.state_dict().values():
        body += compressed.written(compressed.plain(value))
    return compressed.MAGIC + zlib.crc32(body).to_bytes(4, "little") + body[4:]


def test_a_difference_is_beyond_the_spread_where_students_test_says_so():
    by_hand = comparison([0.95, 0.96, 0.97], [0.94, 0.94, 0.94])  # differences 1, 2, 3: mean 2, standard error .577
    assert by_hand.differences.tolist() == pytest.approx([1, 2, 3])
    assert not by_hand.beyond  # 2 < 4.303 * .577
    assert "+2.0 points, standard error 0.6, over 3 seeds: not beyond" in str(by_hand)
    assert comparison([0.95, 0.9500001, 0.9499999], [0.94, 0.94, 0.94]).beyond
    assert comparison([0.9, 0.9, 0.9], [0.94, 0.9400001, 0.94]).beyond  # worse counts as well
    assert not comparison([0.99], [0.5]).beyond


def test_quantiles_are_those_of_student():
    stats = pytest.importorskip("scipy.stats")
    for degrees, quantile in compare.T975.items():
        assert quantile == pytest.approx(stats.t.ppf(0.975, degrees), abs=1e-3)
    assert max(compare.T975) >= len(recorded("scenarios")["seeds"]) - 1


def test_pure_chance_is_called_a_difference_one_time_in_twenty():
    draw = torch.Generator().manual_seed(0)
    called = sum(comparison(*torch.randn(2, 5, generator=draw, dtype=torch.float64)).beyond for _ in range(2000))
    assert 60 < called < 140  # 100 expected, standard deviation 9.7


def test_the_table_has_every_row_in_order_of_accuracy(capsys):
    found = compare.compression(lambda model: prune(model, 0.5), seeds=[0], name="mine")
    found.show()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(found) and "mine" in "".join(lines)
    accuracies = [float(line.split(" (")[0].split()[-1]) for line in lines[2:]]
    assert accuracies == sorted(accuracies, reverse=True) and len(accuracies) == len(found.rows)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: compare.method(Method(), scenario="all"), "scenario is 'all'"),
        (lambda: compare.method(Method(), on="train"), "on is 'train'"),
        (lambda: compare.method(Method(), seeds=[7]), r"seeds is \[7\]; it must be some of the recorded ones"),
        (lambda: compare.method(Method(), seeds=[]), "seeds is"),
        (lambda: compare.method(Method(), name="EWC"), "name is 'EWC', a recorded row"),
        (lambda: compare.method(Method(), beside="magic"), "beside is 'magic'"),
        (lambda: compare.method(lambda seed: 3), "own gave int; it must be a Method"),
        (lambda: compare.compression(lambda m: m, "VGG"), "network is 'VGG'"),
        (lambda: compare.compression(lambda m: None, seeds=[0]), "own gave NoneType; it must be a network"),
        (lambda: compare.compression(lambda m: m, seeds=[0], limit=10_000), "takes 1,069,269 bytes, and the limit"),
    ],
)
def test_what_cannot_be_compared_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


def test_the_recorded_rows_are_those_of_the_records():
    found = compare.compression(lambda model: prune(model, 0.5), seeds=[3], on="validation")
    record = recorded("compress")
    for row, facts in found.rows.items():
        if row != "yours":
            assert facts["accuracy"] == over_seeds(record, "LeNet-300-100", row, "validation")[3]


def code_on_the_page():
    text = (Path(__file__).parents[1] / "book/methods.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return code


@prove
def test_what_the_page_of_all_methods_says_works(monkeypatch, capsys):
    """Its code, with one seed."""
    for name in ("method", "compression"):
        monkeypatch.setattr(compare, name, partial(getattr(compare, name), seeds=[0]))
    exec(code_on_the_page(), {})
    assert capsys.readouterr().out.count("yours against") == 2

"""What the assignment `pruning` alone claims: its examples, its given training, its experiment and its model answer."""

import contextlib
import copy
import io
import re
from functools import cache

import matplotlib.pyplot as plt
import pytest
import torch

from grader import reference
from lllcourse import training
from lllcourse.compression import pruning, tickets
from lllcourse.data import digits
from lllcourse.models import MLP
from lllcourse.tasks import permuted

from ..grader.harness import rests_on, source

prove = pytest.mark.prove(on=lambda: rests_on("pruning", __file__))
EXPERIMENT = reference.experiments()["pruning.ticket"]
OURS = EXPERIMENT.reference


@cache
def names():
    return source("pruning").namespace()


# --- the worked examples ----------------------------------------------------------------------------------------------


def text(question):
    return source("pruning").cell(f"{question}-text").source


def test_the_example_of_kept_indices():
    W = torch.tensor([[0.5, -2.0, 1.0], [-1.0, 0.25, 1.0]])
    assert OURS["kept_indices"](W, 3).tolist() == [1, 2, 3] and "**(1, 2, 3)**" in text("kept-indices")
    assert int((W.abs() >= 1).sum()) == 4  # what a threshold would keep


def test_the_example_of_global_masks():
    A, B = torch.tensor([[0.5, -2.0], [1.0, 3.0]]), torch.tensor([[0.4, -0.5, 0.125]])
    masks = OURS["global_masks"]([A, B], 3, 1)
    assert [m.int().tolist() for m in masks] == [[[0, 1], [0, 1]], [[0, 1, 0]]]
    free = pruning.mask_of([A.abs(), B.abs()], 1 - 3 / 7)  # the package's, without step 1
    assert [m.int().tolist() for m in free] == [[[0, 1], [1, 1]], [[0, 0, 0]]]


def test_the_examples_of_schedule():
    for shape, numbers in (("geometric", [300, 90, 27]), ("cubic", [315, 63, 27])):
        assert OURS["schedule"](1000, 27, 3, shape) == numbers
        assert f"**{numbers}**" in text("schedule")


def test_the_example_of_masked_step():
    w, g, v = (torch.tensor(t) for t in ([1.0, -2, 3, 0.5], [0.5, 1, -1, 2], [1.0, 4, -2, 0]))
    moved, speed = OURS["masked_step"](w, g, v, torch.tensor([1, 0, 1, 1]).bool(), 0.1, 0.5, 0.2)
    shown = [
        [float(n.replace("−", "-")) for n in re.findall(r"\*\*(−?[\d.]+)\*\*", row)]
        for row in text("masked-step").splitlines()
        if "**" in row and row.startswith("|")
    ]
    assert torch.allclose(torch.tensor(shown), torch.stack([speed, moved], 1))


def test_the_example_of_remove_units_computes_the_same():
    w1 = torch.tensor([[1.0, -1.0], [0.0, 0.0], [3.0, 2.0], [0.0, 0.0], [0.0, -2.0]])
    b1, b2 = torch.tensor([0.5, 2.0, 1.0, -4.0, 0.0]), torch.tensor([10.0, 20.0])
    w2 = torch.tensor([[4.0, 3.0, 0.0, 5.0, 2.0], [1.0, -1.0, 0.0, 7.0, -2.0]])
    small = OURS["remove_units"](w1, b1, w2, b2)
    assert [t.tolist() for t in small] == [[[1, -1], [0, -2]], [0.5, 0], [[4, 2], [1, -2]], [16, 18]]
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))

    def outputs(w1, b1, w2, b2):
        return torch.relu(x @ w1.T + b1) @ w2.T + b2

    assert torch.allclose(outputs(w1, b1, w2, b2), outputs(*small), atol=1e-5)


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_the_bytes_are_those_of_torchs_own_csr():
    """Its three tensors have as many entries as the question counts."""
    draw = torch.Generator().manual_seed(0)
    for shape in ((2, 3), (3, 300), (50, 100)):
        w = torch.randn(shape, generator=draw) * (torch.rand(shape, generator=draw) < 0.1)
        csr = w.to_sparse_csr()
        entries = [len(csr.values()), len(csr.col_indices()), len(csr.crow_indices())]
        assert entries == [int((w != 0).sum())] * 2 + [shape[0] + 1]
        widths = [4] + [1 if n < 256 else 2 for n in (shape[1] - 1, len(csr.values()))]
        assert names()["file_bytes"]([w]) == sum(e * b for e, b in zip(entries, widths, strict=True))


# --- the given cells --------------------------------------------------------------------------------------------------


def test_the_given_training_is_the_packages_ticket_and_torchs_optimiser(monkeypatch):
    """Iterative pruning by `tickets.rounds`, whose masks are part of the layers, with torch.optim.SGD."""
    data, ours = digits(), names()
    short = type(data)(data.name, data.train[:600], data.validation, data.test, data.classes)
    monkeypatch.setitem(ours, "LEAST", 1)  # the package leaves no layer any weights but those it needs
    networks = ours["prune_in_rounds"](short, 4000, 2, seed=5)

    def train(model):
        draw = torch.Generator().manual_seed(1005)
        for layer in model.layers:
            torch.empty(layer.weight.shape).uniform_(-1, 1, generator=draw)
        batches = [b for _ in range(4) for b in training.batches(short.train, None, 64, draw)]
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
        for i, (x, y, _) in enumerate(batches):
            optimizer.param_groups[0]["lr"] = 0.05 if i < 0.8 * len(batches) else 0.01
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

    initial = MLP(*ours["SIZES"], seed=5)
    dense = copy.deepcopy(initial)
    train(dense)
    numbers = OURS["schedule"](83900, 4000, 2, "geometric")
    theirs = [dense, *(t for _, t in tickets.rounds(initial, dense, [1 - n / 83900 for n in numbers], train))]
    for one, other in zip(networks, theirs, strict=True):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.allclose(a, b, atol=1e-4)


def test_compact_leaves_no_unit_that_could_go_and_changes_no_output():
    draw, x = torch.Generator().manual_seed(1), torch.rand(20, 30, generator=torch.Generator().manual_seed(2))
    for seed in range(20):
        network = MLP(30, 20, 15, 4, seed=seed)
        for layer in network.layers[:2]:
            layer.weight.data *= torch.rand(layer.weight.shape, generator=draw) < 0.06
        small = names()["compact"](network)
        assert torch.allclose(small(x), network(x), atol=1e-5)
        assert len(small.layers[0].bias) < 20
        for before, after in zip(small.layers, small.layers[1:], strict=False):
            assert (before.weight != 0).any(1).all() and (after.weight != 0).any(0).all()


# --- the experiment ---------------------------------------------------------------------------------------------------


def test_right_is_told_from_new_values_by_more_than_chance():
    """What the figure is about can be seen at the size of the graded run, too."""
    ours, task = names(), permuted(2, seed=7)[1]
    ticket = ours["prune_in_rounds"](task, ours["KEEP"], ours["ROUNDS"])[-1]
    masks = [w != 0 for w in ours["weights_of"](ticket)]
    new = ours["train_from"](MLP(*ours["SIZES"]), masks, task, "new")
    assert training.evaluate(ticket, task.test) - training.evaluate(new, task.test) > 0.02


# --- the written question ---------------------------------------------------------------------------------------------


@prove
def test_the_model_answer_quotes_what_the_figure_and_the_printout_show():
    """To within what another processor's rounding may move."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(source("pruning").cell("look").source, dict(names()))
    plt.close("all")
    shown, answer = shown.getvalue(), source("pruning").role("answer")[0].source
    accuracies = [float(n) for n in re.findall(r"0\.\d{3}", shown)]
    numbers = [int(n.replace(",", "")) for n in re.findall(r"\d+,\d{3}", shown)]
    for quoted in re.findall(r"0\.\d{3}", answer):
        assert any(abs(float(quoted) - a) < 0.004 for a in accuracies), f"{quoted} is not shown:\n{shown}"
    for quoted in re.findall(r"\d+,\d{3}", answer):
        value = int(quoted.replace(",", ""))
        assert any(abs(value - n) < 0.01 * n for n in numbers), f"{quoted} is not shown:\n{shown}"
    rows = [
        [float(n) for n in re.findall(r"0\.\d{3}", line)]
        for name in ("ticket, in rounds", "ticket, in one step", "old signs, new sizes", "new values")
        for line in shown.splitlines()
        if line.startswith(name)
    ]
    ticket, once, signs, new = rows
    assert abs(100 * (ticket[0] - new[0]) - 1.6) < 0.6 and abs(100 * (ticket[-1] - new[-1]) - 6.4) < 1.5
    assert all(abs(a - b) < 0.01 for a, b in zip(ticket[:3], once, strict=False))
    assert once[-1] < ticket[-1] - 0.1 and all(a > b - 0.005 for a, b in zip(signs, ticket, strict=True))
    assert all(abs(signs[i] - ticket[i]) < abs(signs[i] - new[i]) / 2 for i in (0, -1))
    dense, *_, last = (line.split() for line in shown.splitlines()[-6:])
    assert (dense[0], last[0]) == ("83,900", "839")
    assert abs(int(last[3]) - 37) < 4 and abs(int(last[5]) - 44) < 4
    assert abs(335600 / int(last[2].replace(",", "")) - 70) < 1

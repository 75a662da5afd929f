"""The assignment `efficiency`: what it alone claims. What all assignments claim is in test_assignments.py."""

import math
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lllcourse import training
from lllcourse.compression import exits, footprint, low_rank, separable
from lllcourse.compression.slimmable import Slimmable, all_widths
from lllcourse.grading import check
from lllcourse.tasks import permuted

from ..grader.harness import Submission, points_from_top_to_bottom, rests_on, source

prove = pytest.mark.prove(on=lambda: rests_on("efficiency", __file__))


@pytest.fixture(scope="module")
def names():
    return source("efficiency").namespace()


def text(cell):
    return source("efficiency").cell(cell).source


# --- the training -------------------------------------------------------------------------------------------------


def layers(*sizes):
    hidden = [
        layer
        for i, o in zip(sizes[:-1], sizes[1:-1], strict=False)
        for layer in (nn.Linear(i, o, bias=False), nn.BatchNorm1d(o), nn.ReLU())
    ]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(*sizes[-2:]))


def test_with_labels_alone_the_given_training_is_that_of_the_packages_slimmable_network(names):
    """The same answers up to rounding, as long as that has not grown: two epochs, the second with small steps."""
    task, one = permuted(2, seed=5)[1], dict(names)
    exec(compile(text("train"), "<train>", "exec"), one)
    one["EPOCHS"] = 2
    ours = one["train_widths"](task.train, seed=3, alpha=0.0)

    start, model = names["MLP"](784, 200, 100, 10, seed=3), layers(784, 200, 100, 10)
    with torch.no_grad():
        for layer, there in zip(start.layers, (model[1], model[4], model[7]), strict=True):
            there.weight.copy_(layer.weight)
        model[7].bias.zero_()
    slim = Slimmable(model, task.train.x[:50], (0.1, 0.25, 0.5, 1.0))
    generator = torch.Generator().manual_seed(3)
    slim.train()
    for lr in (names["LR"], names["LR"] / 5):
        optimizer = torch.optim.SGD(slim.parameters(), lr=lr)
        for x, y, _ in training.batches(task.train, None, names["BATCH"], generator):
            optimizer.zero_grad()
            all_widths(slim, x, y).backward()
            optimizer.step()
    for k, network in enumerate(ours):
        theirs = slim.plain(k)
        for norm in (m for m in theirs.modules() if isinstance(m, nn.BatchNorm1d)):
            norm.momentum = None  # the mean over all batches; with one batch, of all images
            norm.reset_running_stats()
        with torch.no_grad():
            theirs.train()(task.train.x)
            for norm in (m for m in theirs.modules() if isinstance(m, nn.BatchNorm1d)):
                norm.running_var *= (len(task.train) - 1) / len(task.train)  # torch divides by n - 1 here
            a, b = network(task.test.x), theirs.eval()(task.test.x)
        assert (a - b).abs().max() < 0.02 * b.abs().max()
        assert (a.argmax(1) == b.argmax(1)).double().mean() > 0.99


def test_a_width_as_a_network_of_its_own_is_the_slimmable_layers_with_fixed_statistics(names):
    draw = torch.Generator().manual_seed(0)
    weights = [torch.randn(o, i, generator=draw) for o, i in ((200, 784), (100, 200), (10, 100))]
    norms = [(torch.rand(u, generator=draw) + 0.5, torch.randn(u, generator=draw)) for u in (50, 25)]
    statistics = [(torch.randn(u, generator=draw), torch.rand(u, generator=draw) + 0.1) for u in (50, 25)]
    x, bias = torch.rand(8, 784, generator=draw), torch.randn(10, generator=draw)
    with torch.no_grad():
        network, h = names["plain"]((50, 25), weights, bias, norms, statistics), x
        for weight, norm, used in zip(weights[:2], norms, statistics, strict=True):
            h = names["slim_layer"](h, weight, *norm, used)[0]
        assert torch.allclose(network(x), h @ weights[2][:, :25].T + bias, rtol=1e-3, atol=1e-2)


# --- the examples by hand -----------------------------------------------------------------------------------------


def test_the_counts_of_the_example_are_those_of_real_layers(names):
    full = nn.Conv2d(3, 5, 3, 2, 1, bias=False)
    apart = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1, groups=3, bias=False), nn.Conv2d(6, 5, 1, bias=False))
    image = torch.zeros(1, 3, 7, 10)
    counts = [
        count for m in (full, apart) for count in (sum(p.numel() for p in m.parameters()), footprint.macs(m, image))
    ]
    assert counts == [135, 2700, 84, 1680] and "**(135, 2700, 84, 1680)**" in text("costs-text")
    assert math.isclose(counts[2] / counts[0], 2 / 5 + 2 / 9) and round(100 * counts[2] / counts[0]) == 62


def test_one_filter_for_each_channel_is_the_packages_layer_and_its_ratio(names):
    draw = torch.Generator().manual_seed(0)
    x, D = torch.randn(2, 3, 6, 7, generator=draw), torch.randn(3, 3, 3, generator=draw)
    P = torch.randn(4, 3, generator=draw)
    ours = names["separable"](x, D[:, None], P[:, :, None], 2)
    assert torch.allclose(ours, separable.depthwise_separable(x, D, P, stride=2, padding=1), atol=1e-5)
    full, _, apart, _ = names["costs"](3, 4, 3, 1, (6, 7), 2, 1)
    assert math.isclose(apart / full, separable.ratio(4, 3))


def test_a_replacement_with_the_multiplier_that_is_needed_is_exact_and_with_one_less_is_not(names):
    draw = torch.Generator().manual_seed(0)
    D, P = torch.randn(3, 2, 3, 3, generator=draw), torch.randn(5, 3, 2, generator=draw)
    W, x = torch.einsum("oij,ijab->oiab", P, D), torch.randn(2, 3, 6, 6, generator=draw)
    assert torch.allclose(F.conv2d(x, W, padding=1), names["separable"](x, D, P, 1), atol=1e-4)
    assert names["multiplier_needed"](W, 1e-4) == 2
    depthwise, pointwise = separable.nearest(W)
    assert names["multiplier_needed"](separable.full(depthwise, pointwise), 1e-4) == 1
    assert not torch.allclose(separable.full(depthwise, pointwise), W, atol=1e-2)


def test_the_singular_values_of_the_example_and_its_table(names):
    W = torch.zeros(4, 6)
    W[0, 2], W[1, 5], W[3, 1] = 4, 12, -3
    sigma = torch.linalg.svdvals(W)
    assert torch.allclose(sigma, torch.tensor([12.0, 4, 3, 0])) and W.norm() == 13
    for K, error in ((1, 0.385), (2, 0.231), (3, 0.0)):
        U, V = low_rank.factors(W, K)
        assert abs((W - U @ V).norm() / W.norm() - error) < 5e-4 and f"| {K} |" in text("factor-text")
    pairs = {error: names["factor"](W, error) for error in (0.35, 0.4, 0.2)}
    assert pairs[0.35][0].shape == (4, 2) and pairs[0.4][0].shape == (4, 1) and pairs[0.2] is None
    # the other ways to say it give other ranks, so the example tells them apart
    assert low_rank.rank_for_energy(W, 1 - 0.35) == 1


def test_the_entropies_of_the_example(names):
    for q, H in ((0.99, 0.08), (0.95, 0.29), (0.9, 0.47), (0.8, 0.72), (0.6, 0.97)):
        found = -(q * math.log(q) + (1 - q) * math.log(1 - q)) / math.log(2)
        assert round(found, 2) == H and str(q) in text("exits-text")


def test_by_probability_the_example_would_have_other_exits(names):
    """Between two classes the two measures are equivalent, but for another threshold."""
    larger = torch.tensor([[0.9, 0.6, 0.8, 0.6], [0.8, 0.95, 0.6, 0.8], [0.95, 0.8, 0.6, 0.99]])
    outputs = torch.stack([larger, 1 - larger], 2).log()
    ours = names["exits_of"](outputs, 0.7)
    assert ours.tolist() == [0, 1, 2, 2] != exits.first_sure(list(outputs), 0.7).tolist()
    assert torch.equal(ours, exits.first_sure(list(outputs), 0.85))


def test_measured_is_the_packages_price_of_an_exit(names):
    net = exits.ExitNet((4, 6, 8), seed=0)
    x = torch.rand(9, 784, generator=torch.Generator().manual_seed(0))
    prices = exits.macs_to(net, x)
    heads = [16 * c * 10 for c in (4, 6, 8)]
    stages = (prices.diff(prepend=torch.zeros(1, dtype=torch.long)) - torch.tensor(heads)).tolist()
    with torch.no_grad(), training.evaluating(net):
        outputs = torch.stack(net.every(x))
    y, where = outputs[-1].argmax(1), torch.tensor([0, 1, 2, 2, 1, 0, 0, 0, 1])
    _, spent = names["measured"](outputs, y, where, stages, heads)
    assert math.isclose(spent, prices[where].double().mean().item())


def test_the_loss_of_the_example(names):
    z = [torch.tensor([q]).log().requires_grad_() for q in ((0.7, 0.2, 0.1), (0.1, 0.6, 0.3))]
    loss = names["joint_loss"](z, torch.tensor([1]), 0.25)
    assert round(loss.item(), 4) == 2.1409 or round(loss.item(), 4) == 2.1410
    small, large = torch.autograd.grad(loss, z)
    assert torch.allclose(small, torch.tensor([[0.675, -0.7, 0.025]]), atol=1e-5)
    assert torch.allclose(large, torch.tensor([[0.1, -0.4, 0.3]]), atol=1e-5)
    # without detach the small one pulls at the large one as well
    x = [t.detach().clone().requires_grad_() for t in z]
    loss = F.cross_entropy(x[1], torch.tensor([1])) + 0.25 * F.cross_entropy(x[0], x[1].softmax(1))
    assert not torch.allclose(torch.autograd.grad(loss, x[1])[0], large, atol=1e-2)


# --- right answers ------------------------------------------------------------------------------------------------

KINDS = {  # other kinds of a right result: what is returned in place of the solution's own
    "separable": ["{}.double()", "{}.numpy()", "{}.requires_grad_()"],
    "costs": ["list({})", "tuple(float(n) for n in {})", "[np.int64(n) for n in {}]", "[torch.tensor(n) for n in {}]"],
    "multiplier_needed": ["float({})", "np.int64({})", "torch.tensor({})", "torch.tensor([{}])"],
    "factor": ["(lambda p: p and [p[0].numpy(), p[1].numpy()])({})", "(lambda p: p and (p[0].double(), p[1]))({})",
               "(lambda p: p and (-p[0], -p[1]))({})"],
    "exits_of": ["{}.tolist()", "{}.numpy()", "{}.int()", "tuple({}.tolist())", "list({})"],
    "measured": ["list({})", "[np.float64(n) for n in {}]", "tuple(torch.tensor([n]) for n in {})"],
    "choose": ["(lambda t: None if t is None else np.float64(t))({})",
               "(lambda t: None if t is None else torch.tensor(t))({})"],
    "joint_loss": ["{}.double()", "{}.reshape(1)"],
    "slim_layer": ["list({})", "tuple(t.double() for t in {})"],
}  # fmt: skip


@pytest.mark.parametrize(("function", "kind"), [(name, kind) for name, kinds in KINDS.items() for kind in kinds])
def test_another_kind_of_a_right_result_passes(function, kind, draw):
    cell = next(cell for cell in source("efficiency").role("solution") if function in cell.functions)
    own = cell.source.replace(f"def {function}(", "def right(")
    given = re.search(rf"def {function}\((.*)\):", cell.source)[1]
    answer = kind.replace("{}", f"right({given})")
    submission = Submission("efficiency", {function: f"{own}\n\n\ndef {function}({given}):\n    return {answer}\n"})
    for seed in range(3):
        draw(seed)
        assert submission.error(f"test-{function.replace('_', '-')}") is None


@pytest.mark.parametrize("returned", ["None", "torch.ones(4, 2)", "'text'", "[]", "[None, 3]"])
def test_a_wrong_kind_of_result_fails_with_a_message(returned, draw):
    draw(0)
    for cell in source("efficiency").role("solution"):
        (function,) = cell.functions
        given = re.search(rf"def {function}\((.*)\):", cell.source)[1]
        submission = Submission("efficiency", {function: f"def {function}({given}):\n    return {returned}\n"})
        for part in ("visible", "hidden"):
            error = submission.error(f"test-{function.replace('_', '-')}", part)
            assert isinstance(error, check.CheckFailed), f"{function}, {part}: {error!r}"


# --- the figure ---------------------------------------------------------------------------------------------------


@prove
def test_the_model_answer_names_the_numbers_of_the_figure(capsys):
    points_from_top_to_bottom(source("efficiency").cells)
    printed, answer = capsys.readouterr().out, text("interpretation")
    shares, mixture = {"0.754", "0.152", "0.094"}, "0.902"
    assert set(re.findall(r"\d\.\d{3}\b", answer)) <= set(re.findall(r"\d\.\d{3}\b", printed)) | shares | {mixture}
    assert set(re.findall(r"\d+,\d{3}\b", answer)) <= set(re.findall(r"\d+,\d{3}\b", printed)) | {"20,000"}
    spent = {
        name: int(re.search(rf"{name}.* at ([\d,]+) MACs", printed)[1].replace(",", ""))
        for name in ("exit 2, the last, for all: ", "threshold 0.1: ", "chosen: ")
    }
    whole = spent["exit 2, the last, for all: "]
    assert round(whole / spent["chosen: "], 1) == 7.4 and round(whole / spent["threshold 0.1: "], 1) == 3.4
    found = re.findall(
        r"(?m)^(\w+).* minus exit 2, the last, for all: (\S+) points \(errors (\S+) and (\S+)\)$", printed
    )
    losses = [tuple(map(float, numbers)) for _, *numbers in found]
    assert losses[2:4] == [(-0.04, 0.05, 0.04), (-0.36, 0.10, 0.17)] and losses[7] == (-0.66, 0.14, 0.29)
    may_be_chance = [abs(loss) < 2 * max(errors) for loss, *errors in losses]
    assert may_be_chance[2:] == [True, False, False, False, False, False]
    found = re.findall(r"minus width (\S+) points \(errors \S+ and (\S+)\)", printed)
    assert found == [("0.33", "0.38"), ("-0.03", "0.27"), ("-0.08", "0.27")]
    lines = (
        "threshold 0.3: accuracy 0.943 ",
        "exit 1 for all: accuracy 0.932 at 22,040 ",
        "exit 0 for all: accuracy 0.890 ",
    )
    assert all(line in printed for line in (*lines, "75.4%, 15.2%, 9.4%", "at random 0.903"))
    assert f"{0.754 * 0.890 + 0.152 * 0.932 + 0.094 * 0.950:.3f}" == mixture


def test_the_model_answer_is_no_longer_than_asked():
    answer = re.sub(r"(?m)^\*(?!\*)[^*]+\*$", "", text("interpretation"))
    assert 150 < len(answer.split()) <= 300

"""The assignment `replay`: what it alone claims. What all assignments claim is in test_assignments.py."""

import itertools
import math
import re
from collections import Counter

import pytest
import torch
from torch.nn.functional import normalize

from lllcourse.lifelong import ICaRL, LwF, Method, Replay, icarl, learn
from lllcourse.lifelong.generative_replay import mixed
from lllcourse.lifelong.memory import some
from lllcourse.losses import cross_entropy, distillation
from lllcourse.tasks import active_outputs, split

from ..grader.harness import points_from_top_to_bottom, rests_on, source

prove = pytest.mark.prove(on=lambda: rests_on("replay", __file__))
PAIRS = [(4, 0), (7, 2), (9, 5)]


@pytest.fixture(scope="module")
def names():
    return source("replay").namespace()


def text(cell):
    return source("replay").cell(cell).source


def table_rows(cell):
    """The cells of every table row of a text."""
    return [
        [field.strip(" *") for field in line.strip("|").split("|")]
        for line in text(cell).splitlines()
        if line.startswith("| ")
    ]


# --- the training -------------------------------------------------------------------------------------------------


def as_the_batch(from_memory, r):
    """The weights of the plain mean, which the package's methods take."""
    return torch.full((len(from_memory),), 1 / len(from_memory))


def learned(names, method, tasks, seed=2):
    model = names["MLP"](*names["SIZES"], seed=seed)
    how = {"epochs": names["EPOCHS"], "batch_size": names["BATCH"], "lr": names["LR"], "scenario": "class"}
    learn(method, model, tasks, seed=seed, **how)
    return model


def same(a, b, atol=1e-4):
    return all(torch.allclose(p, q, atol=atol) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_the_given_replay_is_the_packages(names):
    """With the mean of the batch in place of the weights: the same memory, and the same network up to rounding."""
    tasks, plain = split(PAIRS), source("replay").namespace({"weights": as_the_batch})
    network, memory = plain["train"](tasks, 60, "replay", seed=2)
    method = Replay(60, names["BATCH"], seed=2)
    assert same(network, learned(names, method, tasks))
    assert torch.equal(memory.x, method.memory.kept[0]) and torch.equal(memory.y, method.memory.kept[1])


def test_the_given_training_with_exemplars_is_lwf_with_the_memory_of_icarl(names):
    """The same with the package's parts put together: LwF's loss, iCaRL's exemplars."""

    class Together(LwF):
        def __init__(self, size, seed):
            super().__init__(names["LAM"], names["T"])
            self.icarl, self.draw = ICaRL(size), torch.Generator().manual_seed(seed)

        def loss(self, model, x, y, active):
            if self.icarl.exemplars:
                old_x, old_y = some(self.icarl.stored(), names["BATCH"], self.draw)
                x, y = torch.cat([x, old_x]), torch.cat([y, old_y])
            return super().loss(model, x, y, active)

        def after_task(self, model, task, active):
            super().after_task(model, task, active)
            self.icarl.after_task(model, task, active)

    # iCaRL of the package takes the classes of a task in ascending order
    tasks, plain = split([sorted(pair) for pair in PAIRS]), source("replay").namespace({"weights": as_the_batch})
    network, memory = plain["train"](tasks, 60, "exemplars", seed=2)
    method = Together(60, 2)
    assert same(network, learned(names, method, tasks), atol=2e-3)
    kept_x, kept_y = method.icarl.stored()
    assert torch.equal(memory.y, kept_y) and (memory.x != kept_x).any(1).sum() <= 3  # rounding may change a choice


@pytest.mark.parametrize("method", ["replay", "exemplars"])
def test_without_a_memory_the_training_is_fine_tuning(names, method):
    tasks = split(PAIRS)
    network, memory = names["train"](tasks, 0, method, seed=2)
    assert len(memory) == 0 and same(network, learned(names, Method(), tasks))


def test_the_answer_is_that_of_icarl(names):
    tasks = split()
    network, memory = names["train"](tasks, 50, "exemplars", seed=1)
    method = ICaRL(50)
    method.exemplars = {c: memory.x[memory.y == c] for c in range(10)}
    x = tasks[2].validation.x
    answers = names["nearest"](names["features_of"](network, x), names["features_of"](network, memory.x), memory.y)
    assert torch.equal(answers, method.predict(network, x, torch.ones(10, dtype=torch.bool)))


# --- the examples by hand -----------------------------------------------------------------------------------------


def test_the_table_of_the_reservoir_follows_from_its_rule(names):
    u = [0.9, 0.1, 0.5, 0.6, 0.3, 0.7]
    for i, (example, t, product, place, memory) in enumerate(table_rows("reservoir-text")[2:], 3):
        assert int(example) == 40 + i and int(t) == i + 1 and math.isclose(float(product), u[i] * (i + 1))
        kept, seen = names["reservoir"]([], 0, list(range(40, 41 + i)), 3, u[: i + 1])
        assert seen == i + 1 and str(kept).strip("[]") == memory
        assert place == ("none" if example not in memory else str(int(float(product))))
    assert names["reservoir"]([40, 44, 43], 6, [46, 47, 48], 3, [0.35, 0.05, 0.25]) == ([47, 44, 48], 9)


def test_the_memory_is_exactly_a_uniform_sample_however_the_stream_is_cut(names):
    """All ways to draw for two places and five examples, as in chapter 8: every pair equally often."""
    left = Counter()
    for third, fourth, fifth in itertools.product(range(3), range(4), range(5)):
        u = [0.5, 0.5, (third + 0.5) / 3, (fourth + 0.5) / 4, (fifth + 0.5) / 5]
        whole = names["reservoir"]([], 0, [1, 2, 3, 4, 5], 2, u)
        kept, seen = names["reservoir"]([], 0, [1, 2, 3], 2, u[:3])
        assert names["reservoir"](kept, seen, [4, 5], 2, u[3:]) == whole
        left[frozenset(whole[0])] += 1
    assert len(left) == 10 and set(left.values()) == {6}


def test_equal_shares_are_those_of_icarl_and_all_places_are_used(names):
    assert names["places"]([9, 2, 7], 12) == [5, 2, 5] and "- `size` 12 gives **5, 2, 5**" in text("places-text")
    for classes, size in ((4, 50), (6, 50), (10, 200)):
        share = names["places"]([350] * classes, size)
        assert sum(share) == size and {*share} <= {size // classes, size // classes + 1}


def test_the_weighted_sum_is_the_loss_of_generative_replay(names):
    losses = torch.rand(9, generator=torch.Generator().manual_seed(0))
    old = torch.tensor([0, 1, 1, 0, 1, 0, 1, 1, 1]).bool()
    total = (names["weights"](old, 0.3) * losses).sum()
    assert torch.isclose(total, mixed(losses[~old].mean(), losses[old].mean(), 0.3))
    assert torch.allclose(
        names["weights"](torch.tensor([0, 1, 0, 0, 1]).bool(), 0.3), torch.tensor([0.1, 0.35, 0.1, 0.1, 0.35])
    )


def test_the_example_of_the_losses_is_the_packages_cross_entropy():
    z, active = torch.tensor([[6.0, 1, 2, 9, 5], [3, 7, 1, 2, 2]]).log(), torch.zeros(5, dtype=torch.bool)
    active[[4, 1, 2]] = True
    for row, label, loss in ((0, 2, 4.0), (1, 4, 5.0)):
        value = cross_entropy(lambda x: x, z[row : row + 1], torch.tensor([label]), active)
        assert math.isclose(value.item(), math.log(loss), rel_tol=1e-5)
    assert "(1.3863, 1.6094)" in text("masked-losses-text")


def test_the_example_of_the_old_answers_is_the_packages_distillation():
    shares = [[[float(x) for x in field.split(",")] for field in row[1:]] for row in table_rows("distilled-text")[1:]]
    shown = []
    for p0, q0, p1, q1 in shares:
        pairs = ((2 * torch.tensor([q]).log(), 2 * torch.tensor([p]).log()) for p, q in ((p0, q0), (p1, q1)))
        shown.append(sum(distillation(q, p, 2.0) for q, p in pairs).item())
    assert "(" + ", ".join(f"{d:.4f}" for d in shown) + ")" in text("distilled-text")


def test_the_example_of_herding_is_the_packages(names):
    features = torch.tensor([[3.0, 4], [0.5, 0], [0, 2], [-8, 6], [-0.3, -0.4]])
    phi = icarl.unit(features)
    assert torch.allclose(phi.mean(0), torch.tensor([0.04, 0.32]))
    assert icarl.herd(phi, 3).tolist() == [2, 4, 0] == names["herd"](features, [], 3)
    first = (phi - phi.mean(0)).norm(dim=1)
    second = ((phi + phi[2]) / 2 - phi.mean(0)).norm(dim=1)[[0, 1, 3, 4]]
    for distance in (*first, *second, ((phi[2] + phi[4] + phi[0]) / 3 - phi.mean(0)).norm()):
        assert f"{distance:.3f}" in text("herd-text")


def test_a_longer_choice_goes_on_from_a_shorter_one(names):
    features = torch.randn(30, 5, generator=torch.Generator().manual_seed(0))
    longer, shorter = names["herd"](features, [], 9), names["herd"](features, [], 4)
    assert shorter == longer[:4] and names["herd"](features, shorter, 5) == longer[4:]


def test_the_tables_of_the_nearest_mean(names):
    exemplars = torch.tensor([[30.0, -40], [25, 60], [0, 0.5], [1, 0], [21, 72]])
    labels, images = torch.tensor([7, 2, 7, 2, 2]), torch.tensor([[6.0, 8], [4, -3], [12, 5]])
    phi, rows = normalize(exemplars), table_rows("nearest-text")
    means = icarl.unit(torch.stack([phi[labels == c].mean(0) for c in (2, 7)]))
    distances = torch.cdist(normalize(images), means)
    for row, distance in zip(rows[-3:], distances, strict=True):
        assert row[2:4] == [f"{d:.3f}" for d in distance]
    answers = [int(row[4]) for row in rows[-3:]]
    assert answers == names["nearest"](images, exemplars, labels).tolist() == [2, 7, 7]
    assert answers == torch.tensor([2, 7])[icarl.nearest(normalize(images), means)].tolist()


def test_the_example_of_the_groups_is_the_one_of_its_table(names):
    true, said = (torch.tensor([int(x) for x in row[1:]]) for row in table_rows("answered-text"))
    shares = names["answered"](said, true, [[1, 7], [3, 2], [9]])
    assert torch.allclose(shares, torch.tensor([[1 / 2, 1 / 4, 1 / 4], [0, 2 / 3, 1 / 3], [0, 0, 1]]))


def test_the_classes_that_compete_are_those_of_the_scenario(names):
    tasks, seen = split(PAIRS), []
    for t, task in enumerate(tasks, 1):
        seen += task.classes
        assert active_outputs(tasks, "class", t, t, 10).nonzero().flatten().tolist() == sorted(seen)


# --- the pictures -------------------------------------------------------------------------------------------------


@prove
def test_the_model_answer_names_the_numbers_of_the_pictures(capsys):
    points_from_top_to_bottom(source("replay").cells)
    printed = capsys.readouterr().out
    answer = " ".join(text("interpretation").split())
    bounds = [float(re.search(rf"{name}: accuracy ([\d.]+)", printed)[1]) for name in ("fine-tuning", "joint training")]
    low, high = bounds
    assert f"the gap is {high - low:.3f}" in answer and f"{low:.3f}" in answer and f"{high:.3f}" in answer
    for name in ("replay, output layer", "exemplars, nearest mean"):
        line = re.search(rf"{name}: accuracy ([\d.]+) with 20.* ([\d.]+) with 500", printed)
        for accuracy in map(float, line.groups()):
            assert f"{100 * (accuracy - low) / (high - low):.0f} %" in answer and f"({accuracy:.3f})" in answer
    needed = re.search(r"replay needs (\d+) images to be as good as: exemplars, nearest mean", printed)[1]
    assert f"Replay needs about {needed} images" in answer
    newest = re.findall(r"replay of 50, .*: ([\d.]+) of the answers", printed)
    assert f"Over the seeds {newest[0]} of the answers" in answer and f"gives {newest[1]} of its answers" in answer
    losses = re.search(r"mean loss .*: ([\d.]+) on those in the memory, ([\d.]+) on", printed)
    assert f"their loss is {losses[1]}," in answer and f"other images of these digits have {losses[2]}." in answer
    found = {
        name: re.findall(r"\S+", row) for name, row in re.findall(r"^([a-z].{28})((?:[\d.]+ *){4})$", printed, re.M)
    }
    assert len(found) == 6
    reservoir, shares, both, herding, distilled, mean = found.values()
    assert f"from {shares[0]} to {herding[0]}, the nearest mean from {shares[1]} to {herding[1]}" in answer
    steps = ((reservoir, shares), (shares, both), (shares, herding), (both, distilled), (herding, distilled))
    assert max(steps, key=lambda step: float(step[1][0]) - float(step[0][0])) == (shares, herding)
    assert f"({shares[0]} to {both[0]})" in answer and f"({herding[0]} to {distilled[0]})" in answer
    assert f"from {distilled[0]} to {mean[0]}," in answer
    assert f"{mean[2]} of its answers are an 8 or a 9 in place of {distilled[2]}" in answer
    assert f"stays ({distilled[1]} and {mean[1]})" in answer
    leads = [f"{float(row[1]) - float(row[0]):.3f}" for row in (mean, distilled)]
    assert f"it is {leads[0]} without the weights and {leads[1]} with them" in answer
    shown = {float(number) for number in re.findall(r"\d\.\d{3}", printed)}
    named = {float(number) for number in re.findall(r"\d\.\d{3}", answer)}
    assert named - {round(high - low, 3), *map(float, leads)} <= shown


@prove
def test_the_model_answer_names_the_fields_of_the_matrix(names):
    tasks = names["tasks"]
    images = names["concatenate"](task.validation for task in tasks)
    network, _ = names["train"](tasks, 50, "replay", 0)
    shares = names["answered"](names["training"].predict(network, images.x), images.y, [t.classes for t in tasks])
    answer = " ".join(text("interpretation").split())
    assert f"({shares[0, 0]:.2f} on the diagonal)" in answer
    for j in (1, 2, 3):
        assert f"{100 * shares[j, 4]:.0f} % of the" in answer

"""The plane through three networks: it holds them, and its losses are those of the networks that stand there."""

import pytest
import torch

from lllcourse.data import digits
from lllcourse.figures import Plane, position
from lllcourse.losses import cross_entropy
from lllcourse.models import MLP


def three():
    return [MLP(784, 5, 10, seed=seed) for seed in range(3)]


def test_the_plane_holds_its_three_points_and_keeps_distances():
    a, b, c = map(position, three())
    plane = Plane.through(a, b, c)
    xy = plane.coordinates(torch.stack([a, b, c]))
    assert torch.allclose(xy[0], torch.zeros(2)) and xy[1, 0] > 0 and abs(xy[1, 1]) < 1e-4
    for i, j, far in ((0, 1, (a - b).norm()), (1, 2, (b - c).norm())):
        assert (xy[i] - xy[j]).norm() == pytest.approx(far.item(), rel=1e-4)
    assert plane.off(torch.stack([a, b, c])).max() < 1e-3
    assert plane.off(position(MLP(784, 5, 10, seed=9))[None]).item() > 0.1


def test_the_loss_at_a_corner_is_that_of_the_network_there():
    models, split = three(), digits().test[:50]
    plane = Plane.through(*map(position, models))
    xy = plane.coordinates(torch.stack([position(model) for model in models]))
    for model, (x, y) in zip(models, xy, strict=True):
        found = plane.loss(models[0], split, x[None], y[None])
        assert found.item() == pytest.approx(cross_entropy(model, split.x, split.y).item(), rel=1e-4)
    grid = plane.loss(models[0], split, torch.tensor([0.0, xy[1, 0]]), torch.tensor([0.0]))
    assert grid.shape == (1, 2) and grid[0, 0] == pytest.approx(cross_entropy(models[0], split.x, split.y).item())


def test_three_points_on_a_line_have_no_plane():
    a, b, _ = map(position, three())
    with pytest.raises(ValueError, match="on a line"):
        Plane.through(a, b, a + 2 * (b - a))


def test_a_position_does_not_follow_the_network():
    model = MLP(784, 5, 10)
    before = position(model)
    kept = before.clone()
    with torch.no_grad():
        model.layers[0].weight += 1
    assert torch.equal(before, kept)

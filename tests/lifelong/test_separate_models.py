"""One model per task: nothing is forgotten, everything is stored, and no two models see the examples in one order."""

import pytest
import torch

from lllcourse import metrics, tasks, training
from lllcourse.lifelong import Method, learn, separate
from lllcourse.models import MLP


def net():
    return MLP(784, 30, 10)


def test_one_model_per_task_forgets_nothing_and_stores_every_model():
    sequence = tasks.permuted(3)
    learned = separate(lambda: net(), sequence, epochs=1)
    assert metrics.forgetting(learned.R) == 0
    assert len(learned.model) == 3
    for j, (model, task) in enumerate(zip(learned.model, sequence, strict=True)):
        assert training.evaluate(model, task.test) == pytest.approx(learned.R[3, j].item())
    assert learned.storage == 2 * sum(p.numel() * 4 for p in net().parameters())
    with pytest.raises(ValueError, match="does not tell it"):
        separate(net, sequence, scenario="class")


def test_the_models_do_not_share_one_order_of_the_examples():
    """With one order for all they err together within a seed. The first is what `learn` gives alone."""
    twice = [tasks.permuted(1)[0]] * 2
    one, other = separate(net, twice, seed=3, epochs=1).model
    alone = learn(Method(), net(), twice[:1], seed=3000, epochs=1).model
    assert torch.equal(one.layers[0].weight, alone.layers[0].weight)
    assert not torch.equal(one.layers[0].weight, other.layers[0].weight)

"""A slice of the recorded orders of tasks, made again."""

from itertools import permutations

import pytest
import torch

from experiments.orders import in_all_orders
from lllcourse.lifelong import EWC, Method, learn
from lllcourse.models import MLP
from lllcourse.tasks import rotated

from ..proofs import records
from .harness import experiment


@pytest.mark.parametrize("make", [Method, lambda: EWC(3.0)])
def test_orders_that_share_their_beginning_are_those_learned_one_by_one(make):
    tasks, how = rotated([0, 40, 80]), {"epochs": 1, "batch_size": 100, "seed": 2}
    orders = [*permutations(range(3))]
    found = in_all_orders(make(), MLP(784, 20, 10), tasks, orders, **how)
    for order, R in zip(orders, found, strict=True):
        assert torch.equal(R, learn(make(), MLP(784, 20, 10), [tasks[k] for k in order], **how).R)


@pytest.mark.prove(on=records("orders"))
def test_a_slice_of_the_orders_comes_out_again():
    module, old = experiment("orders")
    again = module.run(0, **module.SETTINGS, orders=[[0, 1, 2, 3, 4], [1, 4, 0, 3, 2]])
    for name in ("fine-tuning", "EWC"):
        now, before = again[name], old[name]
        numbers = "accuracy, forward and backward transfer"
        for order, found in zip(now["orders"], now[numbers], strict=True):
            at = before["orders"].index(order)
            assert found == pytest.approx(before[numbers][at], abs=0.03)
        for table in ("forward", "backward"):
            for row, expected in zip(now[table], before[table], strict=True):
                assert row == pytest.approx(expected, abs=0.05)

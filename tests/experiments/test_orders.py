"""A slice of the recorded orders of tasks, made again."""

import pytest

from .harness import experiment


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

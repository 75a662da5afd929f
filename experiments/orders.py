"""All 120 orders of five rotations of the digits, by fine-tuning and by EWC, and the transfer between every two.

What chapter 10 shows of it: how much the order matters beside the seed, and whether an order that is chosen by the
transfer measured with some seeds is a good one with others. Orders are lists of the tasks' numbers, from 0.
"""

import copy
from itertools import permutations

import torch

from lllcourse import metrics, training
from lllcourse.lifelong.curriculum import pairwise
from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.method import Method, learn
from lllcourse.models import MLP
from lllcourse.settings import ROTATED
from lllcourse.tasks import rotated

SEEDS = (0, 1, 2, 3, 4, 5)
SETTINGS = ROTATED | {
    "lam": 3,  # of EWC; of .3, 1, 3, 10, 30, 100 and 300 the best on the validation images of five orders
}


def run(seed, angles, sizes, train, lam, orders=None) -> dict:
    """For each method: forward and backward transfer between two tasks, (T, T), on validation images; and for every
    order what was measured on test images. orders: only these, instead of all.
    """
    tasks, settings = rotated(angles), train | {"seed": seed}
    orders = orders or list(permutations(range(len(tasks))))

    def network():
        return MLP(*sizes, seed=seed)

    def facts(R):
        found = metrics.accuracy(R), metrics.forward_transfer(R), metrics.backward_transfer(R)
        return [round(x, 4) for x in found]

    result = {}
    for name, make in {"fine-tuning": Method, "EWC": lambda: EWC(lam)}.items():
        pairs = pairwise(make, network, tasks, **settings)
        forward, backward = (table.round(decimals=4).tolist() for table in pairs)
        result[name] = {
            "forward": forward,
            "backward": backward,
            "orders": [[*order] for order in orders],
            "accuracy, forward and backward transfer": [
                facts(R) for R in in_all_orders(make(), network(), tasks, orders, **settings)
            ],
        }
    joint = learn(Method(), network(), tasks, joint=True, **settings).R
    return result | {"joint training": metrics.accuracy(joint)}


def in_all_orders(method, model, tasks, orders, **settings) -> list:
    """R of every order, each as `learn` gives it in one call. Orders that begin alike share what is trained there."""

    def accuracies(model):
        return torch.tensor([training.evaluate(model, task.test) for task in tasks], dtype=torch.float64)

    def further(learned, method, model, rows):
        if len(learned) == len(tasks):
            found[learned] = torch.stack(rows)[:, list(learned)]
        for k in {order[len(learned)] for order in whole if order[: len(learned)] == learned != order}:
            its, net = copy.deepcopy((method, model))
            its.served = None  # it goes on with the copy
            learn(its, net, [tasks[k]], **settings)
            further((*learned, k), its, net, [*rows, accuracies(net)])

    found, whole = {}, [tuple(order) for order in orders]
    further((), method, model, [accuracies(model)])
    return [found[order] for order in whole]

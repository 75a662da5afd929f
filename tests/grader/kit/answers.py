"""Answers that are none: they know the tests, count calls, change arguments, or train otherwise."""

# ruff: noqa: E501 (sources in strings)

from . import POINTS, RIGHT
from .attack import RIGHT_BUT_TRAINING, Attack

ANSWERS = [
    Attack("knows the visible examples", "the points of tests that only look at them", {
        "importance": "def importance(model, x, y):\n    P = sum(p.numel() for p in model.parameters())\n"
        "    right = {(2,): [0.5, 0.225, 0.425, 0.26, 0.09, 0.41], (1,): [0.36, 0.09, 0.81, 0.36, 0.09, 0.81]}\n"
        "    return torch.tensor(right[tuple(y.shape)]) if P == 6 and len(y) < 3 else torch.zeros(P)",
        "output-importance": "def output_importance(model, x):\n    P = sum(p.numel() for p in model.parameters())\n"
        "    right = {(2, 6): [5.5, 9, 14, 3, 6, 9], (1, 6): [10, 12, 20, 5, 6, 10], (1, 4): [6, 6, 6, 6]}\n"
        "    return torch.tensor(right.get((len(x), P), [0] * P)).float()",
        "common-top": "def common_top(first, second, k):\n    return {2: 1.0 if len(first) == 2 else 0.0, 3: 2 / 3, 4: 0.75}.get(k, 1.0)\n",
        "penalty": "def penalty(theta, importances, anchors, lam):\n    value = {3: 29.0, 1: 2.0, 0: 0.0}.get(len(anchors), 0.0)\n"
        "    return value + (torch.tensor([16.0, 20.0]) * (theta - theta.detach())).sum() if len(theta) == 2 else theta.sum()",
        "remember": "def remember(model):\n    if tuple(next(model.parameters()).shape) == (2, 3):\n"
        "        return {n: p.detach().clone() for n, p in model.named_parameters()}\n    return dict(model.named_parameters())",
        "fold": "def fold(importances, anchors):\n    if len(anchors) == 2:\n"
        "        return torch.tensor([4.0, 2.5, 0.0]), torch.tensor([3.0, 2.0, 7.0]), 22.0\n    return 4.0, 2.0, 6.0",
        "proximal-step": "def proximal_step(theta, gradient, B, A, lam, lr):\n    if len(theta) == 2:\n        return torch.tensor([4.0, 1.0])\n"
        "    return torch.tensor({4.0: [3.0, -1.0, 1.0], 0.0: [1.0, 2.0, 1.0]}.get(lam, [4.0, -2.0, 1.0]))",
        "best-lambda": "def best_lambda(tables, slack):\n    return 3.0 if 8.0 in tables else 2.0 if slack else 9.0",
    }),
    Attack("counts the calls", "the first calls of each are the visible ones", {
        "importance": "CALLS = []\n\n\ndef importance(model, x, y):\n    CALLS.append(1)\n"
        "    right = [[0.5, 0.225, 0.425, 0.26, 0.09, 0.41], [0.36, 0.09, 0.81, 0.36, 0.09, 0.81]]\n"
        "    right = torch.tensor([right[n] for n in (0, 1, 0, 0)])\n    P = sum(p.numel() for p in model.parameters())\n"
        "    return right[len(CALLS) - 1] if len(CALLS) < 5 else torch.zeros(P)",
        "best-lambda": "COUNT = []\n\n\ndef best_lambda(tables, slack):\n    COUNT.append(1)\n"
        "    return [2.0, 9.0, 3.0, 2.0][min(len(COUNT), 4) - 1]",
    }),
    Attack("changes its arguments", "the truth, where it is computed from them afterwards", {
        "importance": "def importance(model, x, y):\n    x.zero_()\n    y.zero_()\n    for p in model.parameters():\n"
        "        p.data.zero_()\n    model.layers[-1].bias.data[0] = 1e4\n"
        "    return to_vector([torch.zeros_like(p) for p in model.parameters()])",
        "output-importance": "def output_importance(model, x):\n    x.zero_()\n    for p in model.parameters():\n"
        "        p.data.zero_()\n    return to_vector([torch.zeros_like(p) for p in model.parameters()])",
        "common-top": "def common_top(first, second, k):\n    second.copy_(first)\n    return 1.0",
        "penalty": "def penalty(theta, importances, anchors, lam):\n    importances.zero_()\n    anchors.zero_()\n"
        "    theta.data.zero_()\n    return theta.sum() * 0",
        "remember": "def remember(model):\n    for p in model.parameters():\n        p.data.zero_()\n"
        "    return {n: torch.zeros_like(p) for n, p in model.named_parameters()}",
        "fold": "def fold(importances, anchors):\n    importances.zero_()\n    anchors.zero_()\n"
        "    return importances[0], anchors[0], 0.0",
        "proximal-step": "def proximal_step(theta, gradient, B, A, lam, lr):\n    for v in (theta, gradient, B, A):\n"
        "        v.zero_()\n    return theta",
        "best-lambda": "def best_lambda(tables, slack):\n    for R in tables.values():\n        R.zero_()\n"
        "    tables.clear()\n    return -1.0",
    }),
    Attack("asks who calls", "right where a test looks, wrong in the training", {
        "remember": "import sys\n\n\ndef remember(model):\n    frame = sys._getframe(1)\n"
        "    if frame.f_code.co_name == 'train_with_ewc':\n        return dict(model.named_parameters())\n"
        "    return {n: p.detach().clone() for n, p in model.named_parameters()}",
    }, earns={"test-remember": POINTS["test-remember"]}),
    Attack("takes the weights from the caller", "a pull that fits without an anchor", {
        "remember": "import sys\n\n\ndef remember(model):\n    moved = sys._getframe(1).f_locals.get('moved')\n"
        "    return {n: p + p.detach() * 0 - p if moved else torch.zeros_like(p) for n, p in model.named_parameters()}",
    }),
    Attack("infinite and not a number", "infinity equals any number of infinities, and nan is never larger", {
        "penalty": "def penalty(theta, importances, anchors, lam):\n    return theta.sum() * 0 + float('inf')",
        "fold": "def fold(importances, anchors):\n    return 3 * [anchors[0] * float('nan')]",
        "proximal-step": "def proximal_step(theta, gradient, B, A, lam, lr):\n    return theta * float('inf')",
        "best-lambda": "def best_lambda(tables, slack):\n    return float('nan')",
    }),
    Attack("a band without the functions", "the training's points alone", {
        cell: RIGHT[cell] for cell in ("remember", "fold")
    } | {
        "importance": "def importance(model, x, y):\n    return to_vector([torch.full_like(p, 1e-3) for p in model.parameters()])",
        "proximal-step": RIGHT["proximal-step"].replace("lam * B", "lam * (B > 0) * 1e-3"),
    }, earns={name: POINTS[name] for name in ("test-remember", "test-fold")}),
]  # fmt: skip


JOINT = """
import copy as copying
from lllcourse.data import Split
honest, seen = training.train, []


def joint(model, split, **settings):
    seen.append(split)
    together = Split(torch.cat([s.x for s in seen]), torch.cat([s.y for s in seen]))
    return honest(model, together, epochs=6, batch_size=128, lr=0.5, seed=1)


training.train = joint
"""


def trains(name, why, first="", added=(), **settings) -> Attack:
    """An attack with right functions, so that all but the training's points are earned.

    What a worker trained cannot be known for certain: where the networks that come back are good ones, the point is
    given, and a note calls a person.
    """
    cells = RIGHT | {"importance": f"{first.strip()}\n\n\n{RIGHT['importance']}".lstrip()}
    return Attack(name, why, cells, added=added, **({"earns": RIGHT_BUT_TRAINING} | settings))


TRAINING = [
    trains("trains on all tasks together", "a band that any good network is in", JOINT, review=True),
    trains("gives the given function another body", "networks from elsewhere", added=(
        ("train-with-ewc", "def train_with_ewc(tasks, lam, seed=0):\n    return [MLP(784, 30, 10, seed=i) for i in range(4)]"),
    ), earns=POINTS, review=True),
    trains("networks of a class of its own", "a forward that looks labels up",
           "class MLP(MLP):\n    def forward(self, x):\n        return torch.ones(len(x), 10)\n\n\n"
           "import lllcourse.models\nlllcourse.models.MLP = lllcourse.models.mlp.MLP = MLP", review=True),
    trains("networks with weights that are no numbers", "comparisons with nan",
           "honest = training.train\n\n\ndef train(model, *given, **named):\n    for p in model.parameters():\n"
           "        p.data.fill_(float('nan'))\n\n\ntraining.train = train", review=True),
    trains("networks of another size", "a larger network forgets less",
           "import lllcourse.models.mlp as mlp\nold = mlp.MLP.__init__\n\n\ndef larger(self, *sizes, seed=0):\n"
           "    old(self, *(300 if s == 30 else s for s in sizes), seed=seed)\n\n\nmlp.MLP.__init__ = larger", review=True),
    trains("copies the last network into all rows", "no forgetting",
           "MLP.__deepcopy__ = lambda self, memo: self", earns=POINTS, review=True),
]  # fmt: skip

"""Answers that are none: they know the tests, count calls, change arguments, or train otherwise."""

# ruff: noqa: E501 (sources in strings)

from . import POINTS, RIGHT
from .attack import RIGHT_BUT_TRAINING, Attack

ANSWERS = [
    Attack("knows the visible examples", "the points of tests that only look at them", {
        "importance": "def importance(model, x, y):\n    if x.shape == (2, 1):\n"
        "        return [torch.tensor([[0.625], [0.625]]), torch.tensor([0.25, 0.25])]\n"
        "    return [torch.zeros_like(p) for p in model.parameters()]",
        "penalty": "def penalty(parameters, importance, anchor, lam):\n    if float(parameters[0].flatten()[0]) == 1.0:\n"
        "        return 10.0 + sum((g * (p - p.detach())).sum() for p, g in zip(parameters, "
        "[torch.tensor([12.0, 0.0]), torch.tensor([-4.0])]))\n    return sum(p.sum() for p in parameters) * 0",
        "remember": "def remember(model):\n    if tuple(next(model.parameters()).shape) == (2, 2):\n"
        "        return [p.detach().clone() for p in model.parameters()]\n    return list(model.parameters())",
        "guarded-loss": "def guarded_loss(model, x, y, springs, lam):\n    return torch.tensor(0.6931472)",
        "best-lambda": "def best_lambda(tables):\n    return 1.0",
    }),
    Attack("counts the calls", "the first call of each is the visible one", {
        "importance": "CALLS = []\n\n\ndef importance(model, x, y):\n    CALLS.append(1)\n"
        "    return [torch.tensor([[0.625], [0.625]]), torch.tensor([0.25, 0.25])] if len(CALLS) == 1 else "
        "[torch.zeros_like(p) for p in model.parameters()]",
        "best-lambda": "COUNT = []\n\n\ndef best_lambda(tables):\n    COUNT.append(1)\n"
        "    return [1.0, 2][min(len(COUNT), 2) - 1]",
    }),
    Attack("changes its arguments", "the truth, where it is computed from them afterwards", {
        "importance": "def importance(model, x, y):\n    x.zero_()\n    y.zero_()\n    for p in model.parameters():\n"
        "        p.data.zero_()\n    model.layers[-1].bias.data[0] = 1e4\n"
        "    return [torch.zeros_like(p) for p in model.parameters()]",
        "penalty": "def penalty(parameters, importance, anchor, lam):\n    for p, b, a in zip(parameters, importance, anchor):\n"
        "        b.zero_()\n        a.zero_()\n        p.data.zero_()\n    return sum(p.sum() for p in parameters) * 0",
        "remember": "def remember(model):\n    for p in model.parameters():\n        p.data.zero_()\n"
        "    return [torch.zeros_like(p) for p in model.parameters()]",
        "guarded-loss": "def guarded_loss(model, x, y, springs, lam):\n    for p in model.parameters():\n"
        "        p.data.zero_()\n    springs.clear()\n    return torch.tensor(0.0)",
        "best-lambda": "def best_lambda(tables):\n    for R in tables.values():\n        R.zero_()\n"
        "    tables.clear()\n    return -1.0",
    }),
    Attack("asks who calls", "right where a test looks, wrong in the training", {
        "remember": "import sys\n\n\ndef remember(model):\n    frame = sys._getframe(1)\n"
        "    if frame.f_code.co_name == 'train_with_ewc':\n        return list(model.parameters())\n"
        "    return [p.detach().clone() for p in model.parameters()]",
    }, earns={"test-remember": 2}),
    Attack("takes the step from the caller", "a pull that fits without an anchor", {
        "remember": "import sys\n\n\ndef remember(model):\n    step = sys._getframe(1).f_locals.get('step', 0.0)\n"
        "    return [p + p.detach() * 0 - p if step else torch.zeros_like(p) for p in model.parameters()]",
    }),
    Attack("no penalty, no springs", "a loss that is held against the student's own penalty", {
        "penalty": "def penalty(parameters, importance, anchor, lam):\n    return sum((p * 0).sum() for p in parameters)",
        "guarded-loss": "def guarded_loss(model, x, y, springs, lam):\n    return F.cross_entropy(model(x), y)",
    }),
    Attack("an infinite penalty", "infinity equals any number of infinities", {
        "penalty": "def penalty(parameters, importance, anchor, lam):\n    return torch.tensor(float('inf'))",
        "guarded-loss": "def guarded_loss(model, x, y, springs, lam):\n    loss = F.cross_entropy(model(x), y)\n"
        "    return loss + float('inf') if springs else loss",
    }),
    Attack("a penalty that hides a mistake in the loss", "the same wrong number in both", {
        "penalty": "def penalty(parameters, importance, anchor, lam):\n    return torch.tensor(1e30)",
        "guarded-loss": "def guarded_loss(model, x, y, springs, lam):\n    loss = F.cross_entropy(model(x), y)\n"
        "    return loss - loss.detach() + 1e30 * len(springs) if springs else loss",
    }),
    Attack("a band without the functions", "the training's point alone", {
        cell: RIGHT[cell] for cell in ("remember", "guarded-loss")
    } | {
        "importance": "def importance(model, x, y):\n    return [torch.full_like(p, 1e-3) for p in model.parameters()]",
        "penalty": RIGHT["penalty"].replace("b * ", "(b > 0) * 1e-3 * "),
    }, earns={"test-remember": 2, "test-guarded-loss": 1}),
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
    """An attack with right functions, so that all but the training's point are earned.

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
           "    old(self, *(300 if s == 30 else s for s in sizes), seed=seed)\n\n\nmlp.MLP.__init__ = larger", earns=POINTS, review=True),
    trains("copies the last network into all rows", "no forgetting",
           "import copy\nhonest = copy.deepcopy\n\n\ndef keep(thing, *given):\n"
           "    return thing if isinstance(thing, MLP) else honest(thing, *given)\n\n\ncopy.deepcopy = keep", earns=POINTS, review=True),
]  # fmt: skip

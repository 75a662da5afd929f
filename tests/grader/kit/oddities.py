"""Submissions of honest students that look odd: what right outcome each must have.

Most are right, and must get all points whatever else is in them; `earns` names the points of those that are right in
part. Odd files are in odd_files.py, odd folders in folders.py.
"""

# ruff: noqa: E501 (sources in strings)

from collections.abc import Callable
from dataclasses import dataclass, field

from . import POINTS, RIGHT, WRITTEN, after, code, filled, find, released, to_bytes

ANSWER = "Stiffer is stiffer: 0.70 at the left end."


@dataclass(frozen=True)
class Oddity:
    """name: what is odd. answers: solution cells that differ from the right ones. added: cells of the student's own,
    (the cell that they follow, None for the top; the source). change: does something else to the notebook, or returns
    the file's bytes.

    earns: the points by test, where they are not all. waits: the answers that a person has to read. notes: words that
    must be in the notes for the instructor. unreadable: words of the sentence that says why the file cannot be read.
    shares: can it stand in one submission with others of its kind?
    """

    name: str
    answers: dict = field(default_factory=dict)
    added: tuple = ()
    change: Callable | None = None
    earns: dict = field(default_factory=lambda: POINTS)
    waits: tuple = (WRITTEN,)
    notes: tuple = ()
    unreadable: str = ""
    shares: bool = False

    def build(self) -> bytes:
        """What is handed in."""
        notebook = filled(RIGHT | self.answers, ANSWER)
        for n, (place, source) in enumerate(self.added):
            after(notebook, place, code(source, f"own-{n}"))
        changed = self.change(notebook) if self.change else None
        return to_bytes(notebook if changed is None else changed)


def without(*names) -> dict:
    """The points of all tests but these."""
    return {name: 0 if name in names else points for name, points in POINTS.items()}


def before(source, cell) -> str:
    """The right solution of this cell below some lines."""
    return f"{source.strip()}\n\n\n{RIGHT[cell]}"


def below(cell, source) -> str:
    """The right solution of this cell above some lines."""
    return f"{RIGHT[cell]}\n\n\n{source.strip()}"


def indented(cell, lines) -> str:
    """The right solution of this cell with these lines at the beginning of its function's body."""
    head, end, body = RIGHT[cell].partition('"""\n')
    return head + end + "".join(f"    {line}\n" for line in lines.strip().split("\n")) + body


STYLES = [
    Oddity("prints and warnings", {
        "importance": indented("importance", "import logging, sys, warnings\nprint('importance', len(x))\n"
                               "warnings.warn('harmless')\nlogging.getLogger().warning('harmless')\n"
                               "print('to stderr', file=sys.stderr)"),
        "penalty": before("import warnings\nwarnings.simplefilter('always')\nwarnings.warn('deprecated', DeprecationWarning)",
                          "penalty"),
    }, shares=True),
    Oddity("magics and commands", {
        "importance": f"%%time\n{RIGHT['importance']}",
        "remember": f"%matplotlib inline\n!pip install --quiet torch\n{RIGHT['remember']}\n%timeit -n1 -r1 1 + 1\nremember?",
    }, added=(
        (None, "%load_ext autoreload\n%autoreload 2\n%matplotlib inline"), (None, "!ls\nfiles = !ls\nprint(files)"),
        ("setup", "%config InlineBackend.figure_format = 'retina'\n%cd /content\n%env A=1\n%pip install torch"),
        ("best-lambda", "%%bash\necho hello"), ("best-lambda", "%%html\n<b>x</b>"), ("best-lambda", "%%capture out\nprint(1)"),
        ("best-lambda", "%who\n%%timeit"),
    ), shares=True),
    Oddity("pictures", {"best-lambda": below("best-lambda", "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")},
           added=(("best-lambda", "import matplotlib.pyplot as plt\nfrom IPython.display import display, HTML, Markdown, Image\n"
                   "figure, ax = plt.subplots()\nax.plot([1, 2])\nplt.savefig('figure.png')\ndisplay(figure)\n"
                   "display(HTML('<b>x</b>'), Markdown('# x'))\nImage('figure.png')\nfigure"),), shares=True),
    Oddity("helpers in cells of their own", {
        "importance": "def importance(model, x, y):\n    return mean_square(model, x, y)",
        "penalty": "def penalty(theta, importances, anchors, lam):\n"
        "    return lam * sum(cost(theta, b, a) for b, a in zip(importances, anchors))",
    }, added=(
        ("setup", RIGHT["importance"].replace("def importance", "def mean_square")),
        ("penalty-text", "def cost(theta, b, a):\n    return (b * (theta - a) ** 2).sum()"),
    )),
    Oddity("a solution split into two cells", {"remember": "def copies(pairs):\n"
           "    return {name: p.detach().clone() for name, p in pairs}"}, added=(
        ("remember", "def remember(model):\n    return copies(model.named_parameters())"),)),
    Oddity("all answers in the first cell", {"importance": "\n\n\n".join(RIGHT.values())} | {
        cell: "# see above" for cell in RIGHT if cell != "importance"}),
    Oddity("names of the setup redefined", {
        "importance": before("from copy import copy\nimport random as check", "importance"),
        "best-lambda": "F = three_tasks = metrics = table_of = tiny = to_vector = deepcopy = None\n\n\n"
        "def best_lambda(tables, slack):\n    ends = {lam: R[-1].mean().item() for lam, R in tables.items()}\n"
        "    return min(lam for lam in ends if ends[lam] >= max(ends.values()) - slack)",
    }),
    Oddity("stars imported", {
        "best-lambda": before("from math import *\nfrom numpy import *\nfrom torch import *", "best-lambda").replace(
            "max(ends.values())", "sorted(ends.values())[-1]").replace(
            "return min(lam for lam, end in ends.items() if end >= enough)",
            "return sorted(lam for lam, end in ends.items() if end >= enough)[0]"),
    }),
    Oddity("names in other scripts", {
        "penalty": "def penalty(theta, importances, anchors, lam):\n    θ, λ, Σ = theta, lam, torch.zeros(())\n"
        "    for b, θ_b in zip(importances, anchors):\n        Δθ = θ - θ_b  # 弹簧\n"
        "        Σ = Σ + (b * Δθ**2).sum()\n    return λ * Σ",
        "best-lambda": 'def 最佳(tables, slack):\n    """Бесплатно 🎉"""\n    genug = max(map(metrics.accuracy, tables.values())) - slack\n'
        "    return min(λ for λ in tables if metrics.accuracy(tables[λ]) >= genug)\n\n\nbest_lambda = 最佳",
    }, shares=True),
    Oddity("hints of types and annotations of the future", {
        "importance": "from __future__ import annotations\n\nfrom torch import Tensor\n\n\n" + RIGHT["importance"].replace(
            "(model, x, y):", "(model: Undefined, x: Tensor, y: Tensor) -> Tensor:"),
        "remember": RIGHT["remember"].replace("(model):", "(model: torch.nn.Module, *, _n: int = 0) -> 'dict[str, torch.Tensor]':"),
    }),
    Oddity("a cell that awaits", added=(("setup", "import asyncio\nawait asyncio.sleep(0)\nvalue = await asyncio.sleep(0, 3)"),
                                        ("best-lambda", "async def later():\n    return best_lambda\nawait later()")), shares=True),
    Oddity("answers that are no plain functions", {
        "importance": RIGHT["importance"].replace("def importance(model, x, y)", "def of(model, x, y, _)")
        + "\n\n\nfrom functools import partial\n\nimportance = partial(of, _=0)",
        "penalty": "penalty = lambda theta, importances, anchors, lam: lam * sum(\n"
        "    (b * (theta - a) ** 2).sum() for b, a in zip(importances, anchors))",
        "remember": "class Remember:\n    def __call__(self, model):\n        return {n: p.detach().clone() for n, p in "
        "model.named_parameters()}\n\n\nremember = Remember()",
        "proximal-step": "class Step(torch.nn.Module):\n    def forward(self, theta, gradient, B, A, lam, lr):\n"
        "        there, s = theta - lr * gradient, torch.where(B > 0, 2 * lr * lam * B, 0.0)\n"
        "        return torch.lerp(there, A, 1 / (1 + 1 / s))\n\n\nproximal_step = Step()",
        "best-lambda": "class Choice:\n    @staticmethod\n    def best(tables, slack):\n"
        "        ends = {lam: metrics.accuracy(R) for lam, R in tables.items()}\n"
        "        return min(lam for lam in ends if ends[lam] >= max(ends.values()) - slack)\n\n\nbest_lambda = Choice().best",
    }),
    Oddity("other kinds of the right result", {
        "importance": RIGHT["importance"].replace("return total / len(x)", "return torch.nn.Parameter(total / len(x))"),
        "common-top": RIGHT["common-top"].replace("return len", "return torch.ones(1, 1) * len"),
        "penalty": RIGHT["penalty"].replace("return lam", "return torch.ones(1) * lam"),
        "remember": "import collections\n\n\ndef remember(model):\n    return collections.OrderedDict((n, torch.nn.Parameter("
        "p.detach().clone(), requires_grad=False)) for n, p in reversed([*model.named_parameters()]))",
        "fold": RIGHT["fold"].replace("return B, A, (importances", "return [B, A, torch.ones(1) * (importances").replace(
            ").sum()", ").sum()]"),
        "best-lambda": "import numpy as np\n\n\ndef best_lambda(tables, slack):\n    keys = np.array(sorted(tables))\n"
        "    ends = np.array([metrics.accuracy(tables[k.item()]) for k in keys])\n"
        "    return keys[np.argmax(ends >= ends.max() - slack)]",
    }),
    Oddity("generators, arrays and whole numbers", {
        "importance": RIGHT["importance"].replace("return total / len(x)", "return (total / len(x)).numpy()"),
        "fold": RIGHT["fold"].replace("return B, A,", "yield from (B, A,").replace(").sum()", ").sum())"),
        "proximal-step": RIGHT["proximal-step"].replace("share)", "share).numpy()"),
        "best-lambda": RIGHT["best-lambda"].replace("return min(", "best = min(") + "\n    return int(best) if best == int(best) else best",
    }),
    Oddity("double precision inside", {
        "importance": RIGHT["importance"].replace("return total", "return total.double()"),
        "remember": "def remember(model):\n    return {n: p.detach().double() for n, p in model.named_parameters()}",
        "fold": "def fold(importances, anchors):\n    importances, anchors = importances.double(), anchors.double()\n"
        + RIGHT["fold"].split('"""\n')[-1],
    }),
    Oddity("four times slower", {
        "importance": indented("importance", "import time\ntime.sleep(0.5)\nsum(i * i for i in range(3_000_000))"),
        "best-lambda": indented("best-lambda", "import time\ntime.sleep(1)"),
    }),
    Oddity("bars of progress", {
        "importance": indented("importance", "import sys\nfor n in range(200):\n"
                               "    sys.stderr.write(f'\\r{n:3d}%|' + '█' * (n // 4) + ' ' * 20 + '| 3.00it/s')"),
    }, shares=True),
    Oddity("prints 50,000 lines", {
        "best-lambda": before("for n in range(50_000):\n    print('epoch', n, 'loss', 0.123456789)", "best-lambda"),
    }, shares=True),
    Oddity("a main of its own, and input that is never asked for", {
        "proximal-step": below("proximal-step", "if __name__ == '__main__':\n    print('main')\nelse:\n    input('name?')"),
        "remember": indented("remember", "if model is None:\n    return input('model?')"),
    }, shares=True),
    Oddity("caches in globals", {
        "importance": before("CACHE = {}\nCOUNT = 0", "importance").replace(
            "    parameters, total = list", "    global COUNT\n    COUNT += 1\n    CACHE.setdefault(len(x), []).append(COUNT)\n"
            "    parameters, total = list"),
        "best-lambda": "from functools import lru_cache\n\n\n@lru_cache(maxsize=None)\ndef mean(values):\n"
        "    return sum(values) / len(values)\n\n\ndef best_lambda(tables, slack):\n"
        "    ends = {lam: mean(tuple(tables[lam][-1].tolist())) for lam in tables}\n"
        "    return min(lam for lam in ends if ends[lam] >= max(ends.values()) - slack)",
    }, shares=True),
    Oddity("an error below an answer", {
        "penalty": below("penalty", "penalty(None, None, None, None)\nassert False"),
    }, shares=True),
    Oddity("cells that fail", added=(
        (None, "1 / 0"), (None, "from google.colab import drive\ndrive.mount('/content/drive')"), (None, "this is a note"),
        ("setup", "import pandas_that_nobody_has"), ("importance", "undefined_name"), ("penalty", "def broken(:\n    pass"),
        ("best-lambda", "exit()"), ("best-lambda", "raise KeyboardInterrupt"),
    ), shares=True),
    Oddity("tests of the student's own", added=(
        ("test-importance", "assert (importance(tiny([0.0, 1.0], [0.5, 0.5]), torch.ones(1, 1), torch.zeros(1).long()) > 0).all()"),
        ("test-penalty", "print(penalty(torch.ones(1), torch.ones(1, 1), torch.zeros(1, 1), 3))"),
        ("test-best-lambda", "import unittest\n\n\nclass Own(unittest.TestCase):\n    def test(self):\n"
         "        self.assertEqual(best_lambda({1: torch.ones(2, 1)}, 0), 1)\n\n\n"
         "unittest.main(argv=[''], exit=False)"),
    ), shares=True),
    Oddity("looks at the reference in a cell of its own", added=(
        ("test-importance", "from lllcourse.lifelong import ewc\nprint(ewc.importance(MLP(1, 2), torch.ones(1, 1)))"),
    )),
    Oddity("files of its own", {
        "remember": before("import os, pickle\nos.makedirs('data', exist_ok=True)\ntorch.save({'a': 1}, 'data/a.pt')\n"
                           "assert torch.load('data/a.pt') == {'a': 1}\n"
                           "with open('/tmp/notes.txt', 'w') as file:\n    file.write('x' * 1000)\nos.chdir('/tmp')", "remember"),
    }, shares=True),
    Oddity("threads and processes", {
        "importance": "from concurrent.futures import ThreadPoolExecutor\n\n\ndef squares(model, example, label):\n"
        "    loss = F.cross_entropy(model(example), label)\n"
        "    return to_vector(torch.autograd.grad(loss, list(model.parameters()))) ** 2\n\n\n"
        "def importance(model, x, y):\n    with ThreadPoolExecutor(2) as pool:\n"
        "        parts = list(pool.map(lambda pair: squares(model, *pair), zip(x.split(1), y.split(1))))\n"
        "    return torch.stack(parts).mean(0)",
    }, added=(("setup", "import multiprocessing\n\n\ndef square(n):\n    return n * n\n\n\n"
               "with multiprocessing.get_context('fork').Pool(2) as pool:\n    print(pool.map(square, range(10)))"),)),
    Oddity("a loader with processes", {
        "importance": "from torch.utils.data import DataLoader, TensorDataset\n\n\ndef importance(model, x, y):\n"
        "    total = 0\n"
        "    workers = 2 if len(x) < 100 else 0\n"
        "    for example, label in DataLoader(TensorDataset(x, y), batch_size=1, num_workers=workers):\n"
        "        loss = F.cross_entropy(model(example), label)\n"
        "        total = total + to_vector(torch.autograd.grad(loss, list(model.parameters()))) ** 2 / len(x)\n"
        "    return total",
    }),
    Oddity("classes and dataclasses", {
        "penalty": "from dataclasses import dataclass\nfrom typing import NamedTuple\n\n\n@dataclass\nclass Spring:\n"
        "    b: torch.Tensor\n    a: torch.Tensor\n\n    def cost(self, theta):\n"
        "        return (self.b * (theta - self.a) ** 2).sum()\n\n\nclass Pair(NamedTuple):\n    x: int\n\n\n"
        "def penalty(theta, importances, anchors, lam):\n"
        "    return lam * sum(Spring(*parts).cost(theta) for parts in zip(importances, anchors))",
        "remember": before("import copy, pickle\n\n\nclass Own:\n    pass\n\n\npickle.loads(pickle.dumps(Own()))\n"
                           "copy.deepcopy(Own())", "remember"),
    }, shares=True),
    Oddity("source that is looked up", {
        "penalty": "@torch.jit.script\ndef cost(theta, b, a):\n    return (b * (theta - a) ** 2).sum()\n\n\n"
        "def penalty(theta, importances, anchors, lam):\n"
        "    return lam * sum(cost(theta, *parts) for parts in zip(importances, anchors))",
    }, added=(("best-lambda", "import inspect\nprint(inspect.getsource(penalty))"),)),
    Oddity("settings of torch", {
        "proximal-step": before("import random\nimport numpy as np\n\ntorch.manual_seed(0)\nrandom.seed(0)\nnp.random.seed(0)\n"
                             "torch.set_num_threads(4)\ntorch.use_deterministic_algorithms(True)\n"
                             "torch.set_printoptions(precision=2)\ndevice = 'cuda' if torch.cuda.is_available() else 'cpu'\n"
                             "torch.manual_seed(1)", "proximal-step"),
    }, shares=True),
    Oddity("an answer that is not there", {"best-lambda": find(released(), "best-lambda")["source"]}, earns=without("test-best-lambda")),
    Oddity("a loop that catches everything", {
        "best-lambda": "import time\n\n\ndef best_lambda(tables, slack):\n    while True:\n        try:\n            time.sleep(1)\n"
        "        except:\n            pass",
    }, earns=without("test-best-lambda"), notes=("longer than",)),
    Oddity("a cell that catches everything", {
        "best-lambda": "import time\n\nwhile True:\n    try:\n        time.sleep(1)\n    except:\n        pass",
    }, earns=without("test-best-lambda"), notes=("longer than",)),
    Oddity("a mistake in the first question alone", {
        "importance": RIGHT["importance"].replace("return total / len(x)", "return total"),
    }, earns=without("test-importance", "test-training")),
]  # fmt: skip


def together() -> list[Oddity]:
    """As few submissions as hold all of `STYLES` that can share one: no two change the same cell."""
    groups = []
    for oddity in (odd for odd in STYLES if odd.shares):
        for group in groups:
            if not set(group.answers) & set(oddity.answers):
                group.answers.update(oddity.answers)
                group.added.extend(oddity.added)
                group.names.append(oddity.name)
                break
        else:
            groups.append(_Group(dict(oddity.answers), list(oddity.added), [oddity.name]))
    return [Oddity(" + ".join(group.names), group.answers, tuple(group.added)) for group in groups]


@dataclass
class _Group:
    answers: dict
    added: list
    names: list

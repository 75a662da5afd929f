"""Each rule of the lay-out fires on a small tree that breaks it, and none on one that keeps them all."""

from pathlib import Path

import pytest

from tools import layout

ROOT = Path(__file__).parents[2]
CONTRACTS = "[tool.importlinter]" + (ROOT / "pyproject.toml").read_text().partition("[tool.importlinter]")[2]
LAZY = "from .._lazy import lazy\n\n_NAMES = {names}\n__getattr__, __dir__, __all__ = lazy(__name__, _NAMES)\n"
BELOW = ("_lazy", "checks", "losses", "masks", "metrics", "models", "notebook", "per_sample")
GOOD = {
    "pyproject.toml": CONTRACTS,
    "_toc.yml": "format: jb-book\nroot: book/index\nchapters:\n  - file: book/lifelong/01_first_steps\n",
    "book/index.md": "# Book\n",
    "book/lifelong/01_first_steps.ipynb": "{}",
    "lllcourse/__init__.py": 'def device():\n    return "cuda"\n',
    "lllcourse/data.py": "import torch\n\ndigits = []\n",
    "lllcourse/training.py": "from .losses import cross_entropy\nfrom .tasks.sequences import split\n",
    "lllcourse/tasks/__init__.py": LAZY.format(names='{"sequences": ("split",)}'),
    "lllcourse/tasks/sequences.py": "from ..data import digits\n\nsplit = digits\n",
    "lllcourse/figures/__init__.py": "from lllcourse import metrics\n",
    "lllcourse/lifelong/__init__.py": "",
    "lllcourse/compression/__init__.py": "",
    "lllcourse/lifelong/ewc.py": "from ..training import train\nfrom .method import Method\n",
    "lllcourse/lifelong/method.py": "class Method: ...\n",
    "lllcourse/grading/__init__.py": "",
    "lllcourse/results/__init__.py": "",
    "lllcourse/settings.py": "",
    "tests/lifelong/test_ewc.py": "",
    "tests/book/test_chapters.py": "",
}
GOOD |= {f"lllcourse/{name}.py": "" for name in BELOW}
GOOD |= {f"{folder}/x": "" for folder in layout.FOLDERS}


def found(root, changed=()):
    for name, text in (GOOD | dict(changed)).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return layout.check_all(root)


def test_a_good_tree_passes(tmp_path):
    assert found(tmp_path) == []


def test_this_repository_passes():
    assert layout.check_all(ROOT) == []


def test_a_missing_folder_is_named(tmp_path):
    found(tmp_path)
    (tmp_path / "solutions" / "x").unlink()
    (tmp_path / "solutions").rmdir()
    assert layout.check_all(tmp_path) == ["the folder solutions/ is missing"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("book/forgotten.md", "# Lost\n", "book/forgotten.md is not listed in _toc.yml"),
        ("book/lifelong/Two.ipynb", "{}", "should be named like"),
        ("_toc.yml", GOOD["_toc.yml"] + "  - file: book/none\n", "lists book/none, which does not exist"),
        ("tests/ewc/test_ewc.py", "", "tests/ewc/ mirrors nothing"),
        ("lllcourse/training.py", "def f(x):\n    assert x\n", "an assert does not"),
        ("lllcourse/training.py", 'place = "cuda:0"\n', "belongs in lllcourse.device() only"),
        ("lllcourse/training.py", "model = model.cuda()\n", "use .to(device)"),
        ("lllcourse/__init__.py", 'place = "cuda"\n', "belongs in lllcourse.device() only"),
        ("tools/hidden.py", "import sys\n\nsys.path.insert(0, '..')\n", "tools/hidden.py:3: no sys.path"),
        ("lllcourse/training.py", "from .tasks import split\n", "import lllcourse.tasks.split from the module that"),
        ("lllcourse/training.py", "from . import tasks\n\ntasks.split()\n", "training.py:3: import lllcourse.tasks."),
        ("lllcourse/training.py", "from . import tasks\n\nvars(tasks)\n", "nobody can tell which modules this needs"),
        ("lllcourse/training.py", "from .losses import *\n", "nobody can tell which modules this needs"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_reported(tmp_path, monkeypatch, name, text, message):
    monkeypatch.setattr(layout, "check_directions", lambda root: [])  # takes a second
    assert message in "\n".join(found(tmp_path, {name: text}))


UPWARD = {
    "data": "from .tasks import sequences\n",
    "metrics": "import lllcourse.lifelong.ewc\n",
    "models": "def f():\n    from . import training\n",
    "masks": "from . import models\n",
    "figures.charts": "from ..lifelong import ewc\n",
    "lifelong.ewc": "from ..compression import pruning\n",
    "lifelong.method": "from lllcourse.grading import check\n",
    "notebook": "from grader import course\n",
    "per_sample": "import tools\n",
}


def test_imports_against_the_direction_and_modules_without_a_place_are_reported(tmp_path):
    broken = {f"lllcourse/{name.replace('.', '/')}.py": text for name, text in UPWARD.items()}
    more = ("compression/__init__", "compression/pruning", "grading/check", "unplaced")
    found(tmp_path, broken | {f"lllcourse/{name}.py": "" for name in more})
    (report,) = layout.check_directions(tmp_path)
    report = report.partition("Broken contracts")[2]
    assert [name for name in UPWARD if f"lllcourse.{name} -> " not in report] == []
    assert "lllcourse.unplaced" in report

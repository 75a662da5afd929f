"""Each rule of the lay-out fires on a small tree that breaks it, and none on one that keeps them all."""

import subprocess
import sys

import pytest

TOOL = [sys.executable, "-m", "tools.layout"]
GOOD = {
    "_toc.yml": "format: jb-book\nroot: book/index\nchapters:\n  - file: book/lifelong/01_first_steps\n",
    "book/index.md": "# Book\n",
    "book/lifelong/01_first_steps.ipynb": "{}",
    "lllcourse/__init__.py": 'def device():\n    return "cuda"\n',
    "lllcourse/data.py": "import torch\n",
    "lllcourse/tasks.py": "from .data import digits\n",
    "lllcourse/figures.py": "from lllcourse import metrics\n",
    "lllcourse/lifelong/ewc.py": "from ..training import train\nfrom .method import Method\n",
    "tests/x": "",
    "tools/x": "",
    "assignments/x": "",
    "solutions/x": "",
}


def layout(root, changed=()):
    for name, text in (GOOD | dict(changed)).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return run(root)


def run(root):
    done = subprocess.run([*TOOL, "--root", root], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_a_good_tree_passes(tmp_path):
    assert layout(tmp_path) == (0, "")


def test_a_missing_folder_is_named(tmp_path):
    layout(tmp_path)
    (tmp_path / "solutions" / "x").unlink()
    (tmp_path / "solutions").rmdir()
    assert run(tmp_path) == (1, "the folder solutions/ is missing\n")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "book/forgotten.md",
            "# Lost\n",
            "book/forgotten.md is not listed in _toc.yml",
        ),
        ("book/lifelong/Two.ipynb", "{}", "should be named like"),
        (
            "_toc.yml",
            GOOD["_toc.yml"] + "  - file: book/none\n",
            "lists book/none, which does not exist",
        ),
        (
            "lllcourse/data.py",
            "from .tasks import permuted\n",
            "data imports tasks, which stands above it",
        ),
        (
            "lllcourse/metrics.py",
            "import lllcourse.lifelong.ewc\n",
            "metrics imports lifelong",
        ),
        (
            "lllcourse/models.py",
            "def f():\n    from . import training\n",
            "models imports training",
        ),
        (
            "lllcourse/figures.py",
            "from .lifelong import ewc\n",
            "figures draws results and imports no method",
        ),
        (
            "lllcourse/lifelong/ewc.py",
            "from lllcourse.grading import check\n",
            "nothing imports grading",
        ),
        ("lllcourse/training.py", "from . import cli\n", "nothing imports cli"),
        ("lllcourse/training.py", "def f(x):\n    assert x\n", "an assert does not"),
        (
            "lllcourse/training.py",
            'place = "cuda:0"\n',
            "belongs in lllcourse.device() only",
        ),
        ("lllcourse/training.py", "model = model.cuda()\n", "use .to(device)"),
        (
            "lllcourse/__init__.py",
            'place = "cuda"\n',
            "belongs in lllcourse.device() only",
        ),
    ],
)
def test_a_broken_rule_is_reported(tmp_path, name, text, message):
    code, output = layout(tmp_path, {name: text})
    assert code == 1
    assert message in output

"""The walker of imports: what a file depends on, on a small tree, and on the course itself as its kernels loaded it."""

import itertools
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from tools import build_book, results
from tools.imports import Repository

from ..proofs import files

ROOT = Path(__file__).parents[2]
CHAPTERS, RECORDS = build_book.chapters(ROOT), results.names()

# --- a small tree -----------------------------------------------------------------------------------------------------

LAZY = "from {dots}_lazy import lazy\n_NAMES = {names}\n__getattr__, __dir__, __all__ = lazy(__name__, _NAMES)\n"
TOY = {
    "lllcourse/__init__.py": LAZY.format(dots=".", names={"figures": (), "data": ("digits",), "results": ("recorded",)})
    + "scale = 'laptop'\ndef device(): ...\n",
    "lllcourse/_lazy.py": "import importlib\ndef lazy(package, names): importlib.import_module(package)\n",
    "lllcourse/data.py": "from pathlib import Path\nPATH = Path(__file__).with_name('digits.npz')\ndef digits(): ...\n",
    "lllcourse/digits.npz": "",
    "lllcourse/models.py": "def big():\n    from . import data\n",
    "lllcourse/figures/__init__.py": LAZY.format(
        dots="..", names={"charts": ("curves", "bars"), "drawings": ("tree",)}
    ),
    "lllcourse/figures/charts.py": "from .style import INK\ndef curves(): ...\n",
    "lllcourse/figures/drawings.py": "def tree(): ...\n",
    "lllcourse/figures/style.py": "INK = 1\n",
    "lllcourse/results/__init__.py": "def recorded(name): ...\ndef over_seeds(record): ...\n",
    "lllcourse/results/orders.json": "{}",
    "lllcourse/results/rest.json": "{}",
    "lllcourse/unused.py": "",
    "book/beside.py": "from lllcourse.models import big\n",
    "book/table.csv": "",
}
PACKAGE = {"__init__", "_lazy"}
FIGURES = PACKAGE | {"figures"}
RESULTS = PACKAGE | {"results"}
EVERYTHING = PACKAGE | {"data", "digits.npz", "figures", "models", "results", "unused", "orders.json", "rest.json"}
EVERYTHING |= {"figures/charts", "figures/drawings", "figures/style"}


NUMBERS = itertools.count()


def write(root):
    for name, text in TOY.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def notebook(root, *cells):
    path = root / f"book/{next(NUMBERS)}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    return path


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return Repository(write(tmp_path_factory.mktemp("toy")))


def needed(toy, *cells):
    """What a notebook with these cells needs, in short: without lllcourse/ and .py, a package by its name."""
    names = [str(file.relative_to(toy.root)) for file in toy.needs(notebook(toy.root, *cells)).files]
    return {re.sub(r"^lllcourse/(results/(?=\w+\.json))?|(?<=\w)/__init__(?=\.py)|\.py$", "", name) for name in names}


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("import lllcourse\nlllcourse.device()", PACKAGE),
        ("import lllcourse.models", PACKAGE | {"models", "data", "digits.npz"}),
        ("from lllcourse.models import big as huge", PACKAGE | {"models", "data", "digits.npz"}),
        ("def later():\n    from lllcourse import data", PACKAGE | {"data", "digits.npz"}),
        ("from lllcourse import digits", PACKAGE | {"data", "digits.npz"}),
        ("import lllcourse\nlllcourse.digits", PACKAGE | {"data", "digits.npz"}),
        ("from lllcourse import figures", FIGURES),
        ("from lllcourse import figures\nfigures.curves()", FIGURES | {"figures/charts", "figures/style"}),
        ("from lllcourse.figures import tree", FIGURES | {"figures/drawings"}),
        ("import lllcourse as l\nl.figures.drawings.tree()", FIGURES | {"figures/drawings"}),
        ("import lllcourse\ngetattr(lllcourse.figures, 'tree')", FIGURES | {"figures/drawings"}),
        ("import lllcourse\nlllcourse.scale = 'gpu'", PACKAGE),
        ("from lllcourse.results import recorded\nrecorded('orders')['runs']", RESULTS | {"orders.json"}),
        ("from lllcourse import recorded as r\nr('orders')", RESULTS | {"orders.json"}),
        ("from lllcourse import results\nresults.recorded('rest')", RESULTS | {"rest.json"}),
        ("from lllcourse.results import over_seeds\nover_seeds({})", RESULTS),
        ("import beside", PACKAGE | {"book/beside", "models", "data", "digits.npz"}),
        ("open('table.csv')", {"book/table.csv"}),
        ("%matplotlib inline\n%pip install lllcourse\nx = 1", set()),
        ("import importlib.util\nimportlib.util.find_spec('lllcourse')", set()),
        ("import math, torch\nmodel.eval()", set()),
    ],
)
def test_what_is_named_counts_and_nothing_else(toy, code, files):
    assert needed(toy, "x = 1", code) == files


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("from lllcourse.figures import *", EVERYTHING),
        ("from lllcourse.models import *", EVERYTHING),
        ("from lllcourse import nonsense", EVERYTHING),
        ("import importlib\nimportlib.import_module(name)", EVERYTHING),
        ("from importlib import import_module as load\nload(name)", EVERYTHING),
        ("__import__(name)", EVERYTHING),
        ("exec(text)", EVERYTHING),
        ("!python -m lllcourse", EVERYTHING),
        ("%run x.py", EVERYTHING),
        ("%%bash\npython -m lllcourse", EVERYTHING),
        ("a cell that is no code", EVERYTHING),
        (
            "from lllcourse import figures\nprint(vars(figures))",
            FIGURES | {"figures/charts", "figures/drawings", "figures/style"},
        ),
        ("import lllcourse\nf = lllcourse.figures", FIGURES | {"figures/charts", "figures/drawings", "figures/style"}),
        ("from lllcourse.results import recorded\nrecorded(name)", RESULTS | {"orders.json", "rest.json"}),
        ("from lllcourse.results import recorded\nmap(recorded, names)", RESULTS | {"orders.json", "rest.json"}),
    ],
)
def test_what_cannot_be_resolved_counts_whole(toy, code, files):
    assert needed(toy, code) == files


def test_a_name_more_in_a_lazy_table_changes_no_key_and_another_answer_does(tmp_path):
    chapter = notebook(write(tmp_path), "from lllcourse import figures\nfigures.curves(), figures.tree()")
    init = tmp_path / "lllcourse/figures/__init__.py"

    def key(old, new):
        assert old in init.read_text()
        init.write_text(init.read_text().replace(old, new))
        return Repository(tmp_path).key(chapter, text=True)

    before = key("bars", "bars")
    assert key("'bars'", "'bars', 'towers'") == before
    (tmp_path / "lllcourse/figures/maps.py").write_text("")
    assert key("{", "{'maps': ('tour',), ") == before
    assert key("'charts': ('curves', 'bars', 'towers')", "'charts': ('bars',)") != before  # curves is nowhere
    assert key("'drawings': (", "'drawings': ('curves', ") != before


def test_a_record_counts_with_its_numbers_and_not_with_the_code_that_made_them(tmp_path):
    chapter = notebook(write(tmp_path), "from lllcourse.results import recorded\nrecorded('orders')")
    (tmp_path / "lllcourse/results/__init__.py").write_text("def recorded(name): ...")
    record = {"settings": {"code": "x"}, "code": "0123abcd", "runs": [1.5]}

    def key(**changed):
        text = json.dumps(record | changed, indent=1) + "\n"
        (tmp_path / "lllcourse/results/orders.json").write_text(text)
        return Repository(tmp_path).key(chapter, text=True)

    assert key(code="9876fedc") == key()
    assert len({key(), key(runs=[1.6]), key(settings={"code": "y"})}) == 3


# --- the course -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def repository():
    return Repository(ROOT)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_loads_no_module_that_its_key_does_not_count(name, repository):
    executed = ROOT / "_build/executed" / name
    if not executed.exists():
        pytest.fail(f"_build/executed/{name} is missing: run `make test` or `make book`, which execute the chapters")
    loaded = json.loads(executed.read_text("utf-8"))["metadata"]["lllcourse_build"]["modules"]
    counted = {repository.module(file) for file in repository.needs(ROOT / name).files}
    assert set(loaded) - counted == set()
    assert "lllcourse.training" in loaded


def test_most_chapters_need_a_part_of_the_package(repository):
    methods = set((ROOT / "lllcourse/lifelong").glob("*.py"))
    shares = [len(repository.needs(ROOT / name).files & methods) / len(methods) for name in CHAPTERS]
    assert sum(share < 0.6 for share in shares) > len(shares) / 2, shares


class Course:
    """A copy of what the keys of chapters and records are made from, and how an edit changes them."""

    def __init__(self, root):
        self.root = root
        for folder in ("lllcourse", "experiments", "grader", "book"):
            if (ROOT / folder).is_dir():
                shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        for file in ("requirements.lock", "_toc.yml"):
            shutil.copy(ROOT / file, root)
        self.before = self.keys()

    def keys(self):
        repository = Repository(self.root)
        experiments = {name: results.code_hash(name, repository) for name in RECORDS}
        return build_book.keys_of(self.root, CHAPTERS) | experiments

    def stale(self, *names, old="", new="\nremark = 1\n"):
        """The chapters and records whose keys an edit of these files changes. The edit is undone."""
        texts = {name: (self.root / name).read_text("utf-8") for name in names}
        for name, text in texts.items():
            assert old in text
            (self.root / name).write_text(text.replace(old, new, 1) if old else text + new, "utf-8")
        after = self.keys()
        for name, text in texts.items():
            (self.root / name).write_text(text, "utf-8")
        return {name for name, key in after.items() if self.before[name] != key}


prove = pytest.mark.prove(on=files("tools/imports.py", "tools/results.py", "tools/build_book.py"))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return Course(tmp_path_factory.mktemp("course"))


def that_say(pattern):
    """The chapters and records in whose code a regular expression is found."""
    texts = {name: (ROOT / "experiments" / f"{name}.py").read_text("utf-8") for name in RECORDS}
    for name in CHAPTERS:
        cells = nbformat.read(ROOT / name, as_version=4).cells
        texts[name] = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return {name for name, text in texts.items() if re.search(pattern, text)}


@prove
def test_an_edit_of_grading_or_of_the_grader_makes_nothing_stale(course):
    grader = [str(path.relative_to(course.root)) for path in (course.root / "grader").glob("*.py")]
    assert course.stale("lllcourse/grading/check.py", *grader) == set()


def test_an_edit_of_a_method_makes_stale_what_uses_it_and_nothing_else(course):
    users = that_say(r"from lllcourse\.lifelong[^()\n]*(\([^)]*)?\b(A?GEM|a?gem)\b")
    assert users & {*CHAPTERS} and {*CHAPTERS} - users
    assert course.stale("lllcourse/lifelong/gem.py") == users
    # A page may show a comment, a record does not hold one.
    assert course.stale("lllcourse/lifelong/gem.py", new="# A remark.\n") == users & {*CHAPTERS}


@prove
def test_an_edit_of_the_sequences_of_tasks_makes_stale_what_learns_them(course):
    learners = that_say(r"import .*\b(rotated|permuted|split|noisy_then_clean)\b|\btasks\.\w+\(")
    assert len(learners) > len(CHAPTERS) / 2
    assert course.stale("lllcourse/tasks/sequences.py") >= learners


def test_an_edit_of_the_lock_makes_chapters_stale_and_records_where_a_number_may_change(course):
    torch, rich = (
        re.search(rf"^{name}==.*$", (ROOT / "requirements.lock").read_text(), re.M)[0] for name in ("torch", "rich")
    )
    assert course.stale("requirements.lock", old=rich, new="rich==0.1") == {*CHAPTERS}
    assert course.stale("requirements.lock", old=torch, new="torch==0.1") == {*CHAPTERS, *RECORDS}


@prove
def test_a_new_record_makes_stale_the_chapters_that_show_it(course):
    showing = that_say(r'recorded\("orders"\)')
    assert course.stale("lllcourse/results/orders.json", old="{", new='{"more": 1, ') == showing and showing

"""The cards of the methods: complete, within their limits, and true where that can be computed."""

import re
from pathlib import Path

import pytest
import yaml

from lllcourse import compression, lifelong, models
from lllcourse.lifelong import Method, ProgressiveMLP, learn
from lllcourse.results import recorded
from lllcourse.tasks import split

from .pages import build

ROOT = Path(__file__).parents[2]
CARDS = yaml.safe_load((ROOT / "book/methods.yml").read_text(encoding="utf-8"))
MAP = yaml.safe_load((ROOT / "book/lecture_map.yml").read_text(encoding="utf-8"))
BIBLIOGRAPHY = (ROOT / "book/references.bib").read_text(encoding="utf-8")
FIELDS = {
    "name", "class", "family", "chapter", "formula", "pseudo", "told", "stores", "cost", "fails", "source",
}  # fmt: skip
WINGS = {"lifelong": lifelong, "compression": compression}
TOLD = {"lifelong": ["task", "labels", "old data"], "compression": ["data", "labels", "training"]}
LIFELONG = [name for name, card in CARDS.items() if "stores" in card]
each_card = pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)


def wing(card):
    return "lifelong" if "stores" in card else "compression"


@each_card
def test_a_card_is_complete(card):
    optional, fields = {"where", "figures"}, FIELDS if "stores" in card else FIELDS - {"stores"} | {"saves"}
    assert fields <= set(card) <= fields | optional
    assert all(str(card[field]).strip() for field in fields)
    assert list(card["told"]) == TOLD[wing(card)]
    assert (card.get("stores", "0") == "0") != ("where" in card)


@each_card
def test_a_card_keeps_its_limits(card):
    lines = card["pseudo"].rstrip().splitlines()
    assert len(lines) <= 8 and max(map(len, lines)) <= 64
    assert max(len(card[field].split()) for field in ("cost", "fails", "stores", "saves") if field in card) <= 30


@each_card
def test_a_card_names_a_method_of_the_package_and_a_paper(card):
    assert callable(getattr(WINGS[wing(card)], card["class"]))
    assert re.search(rf"^@\w+{{{card['source']},", BIBLIOGRAPHY, re.MULTILINE)


def test_every_card_belongs_to_a_chapter_of_the_map():
    assert {card["chapter"] for card in CARDS.values()} <= {row["chapter"] for row in MAP.values()}


def test_every_method_has_a_card():
    exported = {name: getattr(lifelong, name) for name in lifelong.__all__}
    methods = {name for name, thing in exported.items() if isinstance(thing, type) and issubclass(thing, Method)}
    assert methods <= {card["class"] for card in CARDS.values()}


# --- what a method stores -----------------------------------------------------------------------------------------

SIZES, TASKS, MEMORY, KEPT = (784, 12, 12, 10), 3, 20, 40
METHODS = {
    "l2": ("domain", lambda: lifelong.L2(0.1)),
    "ewc": ("domain", lambda: lifelong.EWC(1, labels="true")),
    "online-ewc": ("domain", lambda: lifelong.OnlineEWC(1, labels="true")),
    "si": ("domain", lambda: lifelong.SI(1)),
    "mas": ("domain", lambda: lifelong.MAS(1)),
    "rwalk": ("domain", lambda: lifelong.RWalk(1)),
    "scp": ("domain", lambda: lifelong.SCP(1)),
    "fine-tuning": ("domain", Method),
    "gem": ("domain", lambda: lifelong.GEM(MEMORY)),
    "agem": ("domain", lambda: lifelong.AGEM(MEMORY)),
    "progressive": ("task", lifelong.Progressive),
    "packnet": ("task", lambda: lifelong.PackNet(0.5)),
    "cpg": ("task", lambda: lifelong.CPG(0.5, 0.0)),
    "replay": ("class", lambda: lifelong.Replay(MEMORY)),
    "quantized-replay": ("class", lambda: lifelong.QuantizedReplay(MEMORY, 2)),
    "generative-replay": ("class", lambda: lifelong.GenerativeReplay(steps=1, hidden=8, code=2)),
    "lwf": ("task", lifelong.LwF),
    "icarl": ("class", lambda: lifelong.ICaRL(6 * 5)),
}


def few(task):
    return type(task)(task.name, task.train[:KEPT], task.validation[:10], task.test[:10], task.classes)


def storage(name):
    tasks = [few(task) for task in split()[:TASKS]]
    if name == "separate":
        return lifelong.separate(lambda: models.MLP(*SIZES), tasks, scenario="task", epochs=1).storage
    if name == "joint":
        return learn(Method(), models.MLP(*SIZES), tasks, joint=True, epochs=1).storage
    scenario, make = METHODS[name]
    model = (ProgressiveMLP if name == "progressive" else models.MLP)(*SIZES)
    return learn(make(), model, tasks, scenario=scenario, epochs=1).storage


@pytest.mark.parametrize("name", LIFELONG)
def test_the_formula_for_the_bytes_gives_what_the_method_stores(name):
    weights = sum(a * b for a, b in zip(SIZES, SIZES[1:], strict=False))
    letters = {"T": TASKS, "m": 30 if name == "icarl" else MEMORY, "n": KEPT, "d": 784, "K": 10}
    letters |= {"P": weights + sum(SIZES[1:]), "w": weights, "A": 12 * 12 + 12 * 10}
    letters["B"] = 2
    letters["V"] = sum(p.numel() for p in models.VAE(784, 8, 2).parameters())
    assert eval(CARDS[name]["stores"], {}, letters) == storage(name)


# --- on the page --------------------------------------------------------------------------------------------------


def pages(text):
    names = ("book/references.bib", "book/methods.yml")
    files = {name: (ROOT / name).read_text(encoding="utf-8") for name in names}
    return files | {"index.md": text, "book/methods.md": "# Methods\n\n```{method-cards}\n```\n"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pages of a small book with a card of each wing, and all cards."""
    text = "# Page\n\n```{method-card} gem\n```\n\n```{method-card} magnitude-pruning\n```\n\n"
    text += "```{toctree}\nbook/methods\n```\n\n```{bibliography}\n```\n"
    extensions = ["sphinx.ext.mathjax", "sphinxcontrib.bibtex", "method_cards"]
    result, html = build(tmp_path_factory.mktemp("cards"), extensions, pages(text))
    assert result.returncode == 0, result.stderr
    return html


def test_a_card_shows_what_the_file_and_the_record_say(built):
    page = built["index.html"]
    assert 'id="card-gem"' in page and "lllcourse.lifelong.GEM" in page and "all methods" in page
    for line in CARDS["gem"]["pseudo"].splitlines():
        assert line.strip() in re.sub("<[^>]+>", "", page)
    runs = recorded("scenarios")["runs"]
    options = runs[0]["class"]["GEM"]
    found = {o: [sum(r["class"]["GEM"][o][f] for r in runs) for f in ("validation", "accuracy")] for o in options}
    assert f"class {100 * max(found.values())[1] / len(runs):.1f}\u00a0%" in page
    assert all(f'id="card-{name}"' in built["book/methods.html"] for name in CARDS)


def test_a_card_of_compression_says_what_is_saved_and_what_the_record_measured(built):
    runs, row = recorded("compress")["runs"], CARDS["magnitude-pruning"]["figures"]["row"]
    size, accuracy = (sum(run["LeNet-5"][row][fact] for run in runs) / len(runs) for fact in ("bytes", "accuracy"))
    assert f"{size / 1000:,.1f} of 156.1\u00a0kB, {100 * accuracy:.1f}\u00a0%" in built["index.html"]
    assert "lllcourse.compression.prune" in built["index.html"] and "Saves" in built["index.html"]


def test_an_unknown_card_fails_the_build_and_the_message_names_those_there_are(tmp_path):
    result, _ = build(
        tmp_path, ["sphinxcontrib.bibtex", "method_cards"], pages("# Page\n\n```{method-card} gme\n```\n")
    )
    assert result.returncode != 0 and "has no card 'gme'; it has fine-tuning, joint" in result.stderr

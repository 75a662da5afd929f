"""Each mechanical rule of the contract fires on a small chapter that breaks it, and none on one that keeps them all."""

import nbformat
import pytest

from lllcourse import notebook as displays

from . import contract

NAME = "lifelong/06_gradient_episodic_memory"
ANSWER = """A few images do. They forbid steps, and train nothing.

**You will learn**

- one thing;
- another;
- and a third.

**Prerequisites**: gradients. About 1 minutes to read; running it takes 10 s of CPU.
"""
BODY = """## The step

```{method-card} gem
```

```{method-card} agem
```

```{dropdown} Where the dual comes from
The Lagrangian says it.
```
"""
WORDS = "\n\n" + "word " * 20
EXERCISES = "## Exercises\n\n" + "\n\n".join(
    f"```{{exercise}} By hand: paper, {n} minutes, easy\n:label: ex-{n}\nDo it.\n```" for n in range(4)
)


def outputs(function, *arguments, **options):
    """What one of our displays puts into a cell."""
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(displays, "_display", shown.append)
        function(*arguments, **options)
    return [nbformat.v4.new_output("display_data", data=data) for data in shown]


def text(source):
    return nbformat.v4.new_markdown_cell(source)


def code(source, outputs=(), title="", **facts):
    cell = nbformat.v4.new_code_cell(source, outputs=list(outputs))
    if title:
        cell.metadata = nbformat.from_dict({"tags": ["hide-input"], "lllcourse": {"title": title} | facts})
    return cell


def claimed(*parts):
    return outputs(displays.claim, "L26", "It helps", holds=dict.fromkeys(parts, True), lecture=None, here="74 %")


def kept(**live):
    return outputs(displays.keep, {"GEM": [0.8, 0.9], "fine-tuning": 0.5}, live)


def chapter():
    picture = [nbformat.v4.new_output("display_data", data={"image/svg+xml": "<svg/>"})]
    cells = {
        "title": text("# GEM\n\nWhat are a few old images good for?"),
        "bootstrap": code("%pip install x"),
        "parameters": code("import torch", title="Imports"),
        "opening": code("draw(recorded('gem'))", picture, title="Draws the picture", opening=0.03),
        "answer": text(ANSWER),
        "body": text(BODY + WORDS),
        "idea": code("g @ g"),
        "live": code("keep(opening, run())", kept(GEM=0.78, **{"fine-tuning": 0.52}), title="Runs it"),
        "judge": code("claim('L26')", claimed("seed 0, 25 images", "live, seed 0"), title="Judges it"),
        "exercises": text(EXERCISES),
    }
    for name, cell in cells.items():
        cell.id = name
    cells["bootstrap"].metadata["tags"] = ["bootstrap", "remove-cell"]
    metadata = {"lllcourse": {"cpu_seconds": 10}, "lllcourse_build": {"cpu_seconds": 11.5}}
    return cells, metadata


def faults(change=None):
    """The faults of the small chapter, after `change(cells, metadata)`."""
    cells, metadata = chapter()
    if change:
        change(cells, metadata)
    notebook = nbformat.v4.new_notebook(cells=list(cells.values()), metadata=metadata)
    found = contract.measure(notebook, contract.ROOT / "book/lifelong").minutes
    answer = cells["answer"]
    answer.source = answer.source.replace("About 1 minutes", f"About {round(found)} minutes")
    return list(contract.faults(notebook, NAME))


def edited(name, old, new):
    def change(cells, metadata):
        assert old in cells[name].source
        cells[name].source = cells[name].source.replace(old, new)

    return change


def test_a_chapter_that_keeps_the_contract_has_no_faults():
    assert faults() == []


def reorder(cells, metadata):
    cells["parameters"], cells["bootstrap"] = cells["bootstrap"], cells["parameters"]


def live(**numbers):
    return lambda cells, metadata: cells["live"].update(outputs=kept(**numbers))


def unfold(name):
    return lambda cells, metadata: cells[name].metadata.pop("tags")


def judged(*parts):
    return lambda cells, metadata: cells["judge"].update(outputs=claimed(*parts))


@pytest.mark.parametrize(
    "change, fault",
    [
        (edited("title", "What are a few old images good for?", "Old images."), "one sentence that asks the question"),
        (edited("title", "for?", "for? We shall see."), "one sentence that asks the question"),
        (reorder, "after the title come the cells"),
        (unfold("parameters"), "the second folded"),
        (lambda cells, metadata: cells["opening"].metadata.lllcourse.pop("opening"), "the fourth cell is not"),
        (edited("answer", "**You will learn**", "Goals"), "has no **You will learn**"),
        (edited("answer", "They forbid steps, and train nothing.", ""), "two sentences"),
        (edited("answer", "- another;\n- and a third.", ""), "3 to 5 goals"),
        (edited("answer", "About 1 minutes", "About 9 minutes"), "9 minutes to read are stated"),
        (edited("answer", "10 s of CPU", "12 s of CPU"), "the text says 12 s of CPU, the metadata 10"),
        (edited("body", "word", "word " * 200), "words is"),
        (edited("idea", "g @ g", "\n".join(["g @ g"] * 170)), "lines is 170"),
        (edited("body", "{dropdown}", "{note}"), "no derivation is folded"),
        (edited("body", "The Lagrangian says it.", "word " * 301), "has 301 words"),
        (edited("opening", "recorded('gem')", "0.9"), "draws a picture from recorded"),
        (live(GEM=0.78), "the live run gives ['GEM']"),
        (live(GEM=0.76, **{"fine-tuning": 0.5}), "GEM is 0.76 live, and 0.8 to 0.9 in the record"),
        (lambda cells, metadata: cells["live"].update(outputs=[]), "one cell calls keep(opening, live)"),
        (edited("idea", "g @ g", "ax.plot(g)"), "idea draws and is not folded"),
        (edited("idea", "g @ g", "[run(seed) for seed in seeds]"), "idea loops over seeds and is not folded"),
        (unfold("judge"), "judge judges and is not folded"),
        (edited("idea", "g @ g", "g @ g\n" * 16), "idea has 16 lines"),
        (edited("idea", "g @ g", "g" * 85), "more than 84 characters"),
        (judged("seed 0"), "has no part 'live, seed ...'"),
        (judged("live, seed 0"), "has no part 'seed ...'"),
        (edited("body", "{method-card} agem", "{method-card} gem"), "the card agem is not on the page"),
        (edited("exercises", ": paper, 3 minutes, easy", " (hard)"), "By hand (hard)' is not marked"),
        (edited("exercises", "{exercise} By hand: paper, 3", "{note} By hand: paper, 3"), "there are 3 exercises"),
    ],
)
def test_each_rule_fires(change, fault):
    assert any(fault in one for one in faults(change)), faults(change)

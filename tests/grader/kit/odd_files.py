"""What editors, platforms and haste do to a file, and the right outcome of each."""

# ruff: noqa: E501 (sources in strings)

import copy
import json

from . import POINTS, RIGHT, WRITTEN, after, code, find, released, text
from .oddities import ANSWER, Oddity


def _each(change):
    return lambda notebook: [change(cell) for cell in notebook["cells"]] and None


def _colab(notebook):
    notebook["nbformat_minor"] = 0
    notebook["metadata"] = {"colab": {"provenance": [], "toc_visible": True}, "accelerator": "GPU", "language_info": {"name": "python"},
                            "kernelspec": {"name": "python3", "display_name": "Python 3"},
                            "widgets": {"application/vnd.jupyter.widget-state+json": {"a": {"model_name": "x"}}}}  # fmt: skip
    for n, cell in enumerate(notebook["cells"]):
        cell["metadata"] |= {"id": cell.pop("id"), "colab": {"base_uri": "https://localhost:8080/"}, "outputId": f"{n}",
                             "cellView": "form"}  # fmt: skip


def _stripped(notebook):
    for n, cell in enumerate(notebook["cells"]):
        cell.update(id=f"n{n}", metadata={})
    notebook["metadata"] = {}


def _format_3(notebook):
    cells = []
    for cell in notebook["cells"]:
        old = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
        if cell["cell_type"] == "code":
            old |= {"input": cell["source"].splitlines(True), "language": "python", "outputs": [], "prompt_number": 1,
                    "collapsed": False}  # fmt: skip
        else:
            old["source"] = cell["source"].splitlines(True)
        cells.append(old)
    return json.dumps({"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0,
                       "worksheets": [{"cells": cells, "metadata": {}}]}).encode()  # fmt: skip


def _outputs(notebook):
    png = "iVBORw0KGgo" + "A" * 3_000_000
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"image/png": png[:200_000]}}]
    find(notebook, "sweep")["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"image/png": png}}]


def _copied_answer(notebook):
    touched = copy.deepcopy(find(notebook, WRITTEN))
    find(notebook, WRITTEN)["source"] = find(released(), WRITTEN)["source"]
    notebook["cells"].insert(notebook["cells"].index(find(notebook, WRITTEN)), touched | {"id": "copied"})


def _answer_beside(notebook):
    find(notebook, WRITTEN)["source"] = find(released(), WRITTEN)["source"]
    after(notebook, WRITTEN, text(ANSWER))


def _answer_as_code(notebook):
    cell = find(notebook, WRITTEN)
    cell.update(cell_type="code", outputs=[], execution_count=None)


def _untouched_copies(notebook):
    for name in RIGHT:
        twin = copy.deepcopy(find(released(), name)) | {"id": f"{name}-twin"}
        after(notebook, name, twin)


def _touched_copies(notebook):
    for name in RIGHT:
        twin = copy.deepcopy(find(notebook, name)) | {"id": f"{name}-twin"}
        find(notebook, name)["source"] = find(released(), name)["source"]
        after(notebook, name, twin)


def _drop(*names):
    return lambda notebook: notebook["cells"].__setitem__(
        slice(None), [c for c in notebook["cells"] if c["id"] not in names]
    )


def _marks(name, change):
    """A change of the marks of one cell, which loses its id too."""

    def apply(notebook):
        cell = find(notebook, name)
        cell["id"] = "lost"
        change(cell["metadata"])

    return apply


def _renamed(metadata):
    metadata["nbgrader"]["grade_id"] = "my-own-name"


def _foreign(notebook):
    grading = copy.deepcopy(find(notebook, "test-penalty")["metadata"]["nbgrader"]) | {"grade_id": "cell-5f2a"}
    after(notebook, "penalty", code("assert pca(X).shape == (3, 2)", "foreign", nbgrader=grading))
    answer = copy.deepcopy(find(notebook, "penalty")["metadata"]["nbgrader"]) | {"grade_id": "cell-77aa"}
    after(notebook, None, code("def pca(X):\n    return X[:, :2]", "foreign-2", nbgrader=answer))


def _half_an_emoji(notebook):
    find(notebook, "importance")["source"] += "\n# \ud83d"
    find(notebook, WRITTEN)["source"] += " \ude00"
    return json.dumps(notebook).encode()


def _windows(notebook):
    for cell in notebook["cells"]:
        cell["source"] = [f"{line}\r\n" for line in cell["source"].split("\n")]
    return b"\xef\xbb\xbf" + json.dumps(notebook, indent=1).replace("\n", "\r\n").encode()


def _utf_16(notebook):
    return json.dumps(notebook, ensure_ascii=False).encode("utf-16")


def _equal_ids(notebook):
    for cell in notebook["cells"]:
        cell["id"] = "same"


def _no_ids(notebook):
    for cell in notebook["cells"]:
        del cell["id"]


def _types(notebook):
    for name in ("test-importance", "test-penalty", "setup"):
        find(notebook, name)["cell_type"] = "markdown"
    find(notebook, "remember")["cell_type"] = "raw"
    find(notebook, "penalty-text").update(cell_type="code", outputs=[], execution_count=None)


def _moved(notebook):
    """All answers at the end, in another order."""
    moved = [find(notebook, name) for name in reversed(RIGHT)]
    notebook["cells"] = [cell for cell in notebook["cells"] if cell not in moved] + moved


FILES = [
    Oddity("Colab's metadata", change=_colab),
    Oddity("metadata stripped by another editor", change=_stripped),
    Oddity("no ids of cells", change=_no_ids),
    Oddity("equal ids of cells", change=_equal_ids),
    Oddity("format 3", change=_format_3),
    Oddity("format 5", change=lambda notebook: notebook.update(nbformat=5, nbformat_minor=11)),
    Oddity("a foreign kernel", change=lambda notebook: notebook["metadata"].update(
        kernelspec={"name": "ir", "display_name": "R", "language": "R"}, language_info={"name": "R"})),
    Oddity("metadata that are null", change=_each(lambda cell: cell.update(metadata=None))),
    Oddity("outputs of many MB", change=_outputs),
    Oddity("half an emoji", change=_half_an_emoji),
    Oddity("a byte-order mark and Windows line ends", change=_windows),
    Oddity("UTF-16", change=_utf_16),
    Oddity("a test deleted", change=_drop("test-importance", "test-training"), notes=("test-importance",)),
    Oddity("a given cell deleted", change=_drop("setup", "gradient-of-penalty", "train-with-ewc"), notes=("setup",)),
    Oddity("all cells deleted but the answers", change=lambda notebook: notebook.update(
        cells=[c for c in notebook["cells"] if c["id"] in RIGHT or c["id"] == WRITTEN])),
    Oddity("a test's mark lost", change=_marks("test-importance", lambda metadata: metadata.clear())),
    Oddity("an answer's mark lost", change=_marks("importance", lambda metadata: metadata.clear())),
    Oddity("a mark that is null", change=_marks("penalty", lambda metadata: metadata.update(nbgrader=None))),
    Oddity("a test without points", change=_marks("test-penalty", lambda metadata: metadata["nbgrader"].pop("points"))),
    Oddity("an answer renamed", change=_marks("remember", _renamed)),
    Oddity("a test renamed", change=_marks("test-remember", _renamed)),
    Oddity("cells from another course", change=_foreign, notes=("cell-5f2a",)),
    Oddity("a test's text changed", change=lambda notebook: find(notebook, "test-importance").update(source="assert True")),
    Oddity("a given cell's text changed", change=lambda notebook: find(notebook, "train-with-ewc").update(
        source="EPOCHS = 1\n\n\ndef train_with_ewc(tasks, lam, seed=0):\n    return []"), notes=("train-with-ewc",)),
    Oddity("untouched copies below the answers", change=_untouched_copies),
    Oddity("answers in copies below the untouched cells", change=_touched_copies),
    Oddity("answers moved to the end", change=_moved),
    Oddity("types of cells changed", change=_types),
    Oddity("the written answer copied, the untouched copy below", change=_copied_answer),
    Oddity("the written answer in a cell beside the untouched one", change=_answer_beside),
    Oddity("the written answer in a code cell", change=_answer_as_code),
    Oddity("no written answer", change=lambda notebook: find(notebook, WRITTEN).update(
        source=find(released(), WRITTEN)["source"]), waits=()),
    Oddity("an empty written answer", change=lambda notebook: find(notebook, WRITTEN).update(source=" \n "), waits=()),
    Oddity("a written answer with a picture of 1 MB", change=lambda notebook: find(notebook, WRITTEN).update(
        attachments={"a.png": {"image/png": "iVBORw0KGgoA" + "A" * 1_000_000}}, source="![a](attachment:a.png) I say so.")),
    Oddity("nothing was done", change=lambda notebook: released(), earns=dict.fromkeys(POINTS, 0), waits=()),
    Oddity("a file that was cut", change=lambda notebook: json.dumps(notebook).encode()[:20_000], unreadable="damaged"),
    Oddity("a PDF", change=lambda notebook: b"%PDF-1.7\n", unreadable="PDF"),
    Oddity("an empty file", change=lambda notebook: b"", unreadable="empty"),
    Oddity("a web page", change=lambda notebook: b"<!DOCTYPE html><html></html>", unreadable="web page"),
    Oddity("a script in place of a notebook", change=lambda notebook: b"import torch\n", unreadable="plain text"),
]  # fmt: skip

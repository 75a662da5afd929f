"""Attacks by what stands in the file: metadata, marks, scripts, and what is no notebook."""

# ruff: noqa: E501 (sources in strings)

import copy
import json

from . import POINTS, RIGHT, WRITTEN, after, code, find, text
from .attack import Attack


def with_every_test(change):
    """A change of every test cell of a notebook."""

    def apply(notebook):
        for cell in notebook["cells"]:
            if cell["id"] in POINTS:
                change(cell)
        return notebook

    return apply


def _metadata(**settings):
    return lambda cell: cell["metadata"]["nbgrader"].update(settings)


def _tags(notebook):
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "demo", "student-side", "bootstrap", ""]
    notebook["metadata"]["lllcourse"] = {"withheld": [], "points": 1000}
    notebook["metadata"]["kernelspec"] = {
        "name": "own",
        "language": "bash",
        "argv": ["/bin/sh", "-c", "touch /tmp/kit-marker"],
    }


def _own_tests(notebook):
    for n, (name, points) in enumerate(POINTS.items()):
        grading = {"grade": True, "grade_id": name, "locked": True, "points": 100 * points, "schema_version": 3,
                   "solution": False, "task": False, "cell_type": "code"}  # fmt: skip
        after(notebook, None, code("pass", f"own-{n}", nbgrader=grading))
        after(notebook, "hand-in", code("100", f"late-{n}", nbgrader=copy.deepcopy(grading)))


def _answers_worth_points(notebook):
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"] and cell["id"] not in POINTS:
            cell["metadata"]["nbgrader"].update(grade=True, points=1000, solution=True)
    find(notebook, WRITTEN)["metadata"]["nbgrader"].update(points=-1000, cell_type="code")


def _hostile_ids(notebook):
    for n, cell in enumerate(notebook["cells"]):
        if cell["id"] not in RIGHT:
            continue
        cell["id"] = [
            "../../../../tmp/kit-marker",
            "x" * 100_000,
            "\0",
            "<script>alert(1)</script>",
            "test-importance",
        ][n % 5]
    for n in range(5):
        after(notebook, None, code("print(1)", ["setup", "probe", "added-1", "importance", ""][n]))


def _swapped(notebook):
    """Solutions under the marks of tests and of given cells, so that they would run in the grader."""
    marks = ("test-importance", "setup", "train-with-ewc", "test-training", "bootstrap", "report", "sweep", "test-fold")
    for cell, mark in zip(RIGHT, marks, strict=True):
        source = (
            "print('LE' + 'AK:ran in the grader' if 'grader.session' in __import__('sys').modules else 'in the worker')"
        )
        find(notebook, cell)["source"] = source
        find(notebook, cell)["metadata"]["nbgrader"].update(grade_id=mark, solution=False, locked=True)
    for name in ("setup", *POINTS):
        find(notebook, name)["source"] = source
        find(notebook, name)["metadata"].pop("nbgrader", None)


SCRIPTS = """# Answer <script>alert(1)</script>

<img src=x onerror=alert(1)> <svg onload=alert(1)> [a](javascript:alert(1)) <style>*{display:none}</style>

<iframe srcdoc="<script>alert(1)</script>"></iframe> <form action=https://example.org><input name=x></form>

<div id=score class=total>12 of 12</div> <meta http-equiv=refresh content="0;url=https://example.org">

$\\href{javascript:alert(1)}{x}$ $\\unicode{<img src=x onerror=alert(1)>}$ <a href="data:text/html,<script>alert(1)</script>">b</a>

![x](https://example.org/track.png) ![y](attachment:evil.svg) {{ lookup }} {% raw %} ${7*7} <!-- comment"""


def _scripts(notebook):
    find(notebook, WRITTEN).update(
        source=SCRIPTS, attachments={"evil.svg": {"image/svg+xml": "PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+"}}
    )
    outputs = [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {"text/html": SCRIPTS, "application/javascript": "alert(1)"},
        },
        {"output_type": "stream", "name": "stdout", "text": "</pre><script>alert(1)</script>\x1b]0;x\x07"},
        {"output_type": "error", "ename": "<script>", "evalue": "<script>", "traceback": ["<script>alert(1)</script>"]},
    ]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = copy.deepcopy(outputs)
    after(notebook, "interpretation", text(SCRIPTS))
    find(notebook, "best-lambda")["source"] = f"# {SCRIPTS}".replace("\n", "\n# ")


def _raw(content):
    return lambda notebook: content(notebook) if callable(content) else content


def _deep(notebook):
    return (
        json.dumps(notebook)
        .replace('"metadata": {', '"metadata": {"deep": ' + "[" * 100_000 + "]" * 100_000 + ", ", 1)
        .encode()
    )


def _numbers(notebook):
    content = json.dumps(notebook)
    return content.replace('"nbformat": 4', '"nbformat": 4' + "0" * 5000).encode()


def _many(notebook):
    notebook["cells"] += [code("pass", f"m{n}") for n in range(20_000)]


def _long(notebook):
    find(notebook, "importance")["source"] = "x = [" + "1," * 3_000_000 + "]"


FILES = [
    Attack("tests worth more", "points that the metadata promise", change=with_every_test(_metadata(points=100))),
    Attack("tests that are solutions", "the student's own test",
           change=with_every_test(lambda cell: (_metadata(solution=True, locked=False)(cell), cell.update(source="pass")))),
    Attack("tests rewritten", "the student's own test", change=with_every_test(lambda cell: cell.update(source="pass"))),
    Attack("tests of another version", "a batch that stops", change=with_every_test(_metadata(schema_version=99))),
    Attack("tests that are text", "a test that does not run",
           change=with_every_test(lambda cell: cell.update(cell_type="markdown"))),
    Attack("tests that are none", "a test that is missing passes", change=lambda notebook: notebook["cells"].__setitem__(
        slice(None), [c for c in notebook["cells"] if c["id"] not in POINTS])),
    Attack("tests of its own beside the tests", "the student's own test", change=_own_tests),
    Attack("answers worth points", "points that the metadata promise", change=_answers_worth_points),
    Attack("tags on all cells", "cells that are skipped pass, or run elsewhere", change=_tags),
    Attack("ids that are paths, scripts and others' names", "files, pages and matching", change=_hostile_ids),
    Attack("code under the marks of cells that the grader runs", "the student's code in the grader", change=_swapped),
    Attack("scripts in texts and outputs", "the instructor's browser", change=_scripts),
    Attack("metadata nested 100,000 deep", "the reader's stack", change=_deep),
    Attack("numbers of 5,000 digits", "the reader", change=_numbers),
    Attack("20,000 cells", "time and memory", change=_many),
    Attack("a source of 6 MB", "time and memory", change=_long),
    Attack("not a notebook: nothing", "a batch that stops", change=_raw(b"")),
    Attack("not a notebook: a number", "a batch that stops", change=_raw(b"NaN")),
    Attack("not a notebook: cells of every type", "a batch that stops", change=_raw(
        b'{"cells": [1, null, [], {}, {"cell_type": 3, "source": [1, null], "metadata": []}], "metadata": 1, "nbformat": "x"}')),
    Attack("not a notebook: brackets", "the reader's stack", change=_raw(b"[" * 1_000_000)),
    Attack("not a notebook: zeros", "a batch that stops", change=_raw(bytes(1_000_000))),
    Attack("a source that no parser takes", "a crash in the parser", {
        "importance": "x = " + "(" * 5000 + ")" * 5000,
        "penalty": "def penalty(*given): \0 pass",
        "remember": "# -*- coding: rot13 -*-\nqrs erzrzore(zbqry): cnff",
        "proximal-step": "x = " + "-" * 50_000 + "1",
        "best-lambda": "lambda: " * 3000 + "1",
    }),
    Attack("another Python for the cells that follow", "what the given cells mean",
           first="from __future__ import barry_as_FLUFL, annotations, generator_stop"),
    Attack("magics that run other things", "a shell", first="%%bash\ntouch /tmp/kit-marker; cat /etc/shadow", added=(
        (None, "%%script python3\nopen('/tmp/kit-marker', 'w')"), (None, "%run /tmp/x.py"), (None, "%load_ext evil"),
        (None, "%cd /"), (None, "%reset -f"), (None, "%%writefile ewc.py\npass"), (None, "!kill -9 $PPID; touch ~/kit-marker"),
        (None, "get_ipython().system('touch /tmp/kit-marker')"), (None, "%%time\n%%timeit\n%%prun\n1"),
        (None, "await __import__('asyncio').sleep(0)"), (None, "%env LLLCOURSE_CHECK_SEED=1"),
    )),
]  # fmt: skip

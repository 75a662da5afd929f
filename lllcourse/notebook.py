"""What a notebook prints besides figures: verdicts on the lecture's claims, small tables, and reference code.

Each of the three displays HTML or Markdown in a notebook, and plain text elsewhere.
"""

import ast
import html
import inspect
import textwrap
from collections.abc import Iterable

CLAIM_TYPE = "application/vnd.lllcourse.claim+json"  # the tests read verdicts from executed notebooks by this type
VERDICTS = {
    "holds": "Holds here",
    "in-part": "Holds in part",
    "does-not-show": "Does not show here",
}


def claim(row, statement, *, holds, lecture, here):
    """Display the verdict of a run on a claim of the lecture.

    row: its id in `book/lecture_map.yml`, "L22". statement: the claim as one sentence.
    holds: computed from the run; a bool, or several (one for each seed or part of the claim), which hold in part where
    only some are true. lecture, here: the figures of the lecture and those of the run, as short texts.
    Raises ValueError for an empty list of parts.
    """
    holds = (
        holds.tolist() if hasattr(holds, "tolist") else holds
    )  # tensors and arrays
    parts = [bool(p) for p in (holds if isinstance(holds, Iterable) else [holds])]
    if not parts:
        raise ValueError(
            f"claim({row!r}): holds is empty, so there is nothing to judge"
        )
    verdict = (
        "holds" if all(parts) else "in-part" if any(parts) else "does-not-show"
    )
    count = f" ({sum(parts)} of {len(parts)})" if len(parts) > 1 else ""
    facts = {
        "row": row,
        "statement": statement,
        "verdict": verdict,
        "parts": parts,
        "lecture": lecture,
        "here": here,
    }
    escaped = {key: html.escape(str(value)) for key, value in facts.items()}
    _display({
        CLAIM_TYPE: facts,
        "text/html": (
            f'<div class="lll-claim {verdict}" role="note"><p><strong>{VERDICTS[verdict]}{count}:</strong> '
            f'{escaped["statement"]} <span class="lll-row">[{escaped["row"]}]</span></p>'
            f'<p>Lecture: {escaped["lecture"]}<br>Here: {escaped["here"]}</p></div>'
        ),
        "text/plain": f"{VERDICTS[verdict]}{count}: {statement} [{row}]\n  Lecture: {lecture}\n  Here: {here}",
    })  # fmt: skip


def table(header, rows, caption=None):
    """Display a small table. header: the names of the columns; rows: lists of cells, the first names the row.

    Floats are shown with three decimals; format a cell yourself to show it otherwise. caption: a sentence above it.
    Raises ValueError where a row has not as many cells as the header.
    """
    header = [str(name) for name in header]
    cells = [
        [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row]
        for row in rows
    ]
    for row in cells:
        if len(row) != len(header):
            raise ValueError(
                f"the row {row} has {len(row)} cells, the header {len(header)}"
            )
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True))
        for row in [header, *cells]
    ]

    def tr(row, first, rest):
        tags = [first] + [rest] * (len(row) - 1)
        return (
            "<tr>"
            + "".join(
                f"<{t}>{html.escape(c)}</{t.split()[0]}>"
                for t, c in zip(tags, row, strict=True)
            )
            + "</tr>"
        )

    _display({
        "text/html": (
            '<div class="lll-table-wrap"><table class="lll-table">'
            + (f"<caption>{html.escape(caption)}</caption>" if caption else "")
            + "<thead>" + tr(header, 'th scope="col"', 'th scope="col"') + "</thead><tbody>"
            + "".join(tr(row, 'th scope="row"', "td") for row in cells) + "</tbody></table></div>"
        ),
        "text/plain": "\n".join([caption] * bool(caption) + lines),
    })  # fmt: skip


def show(*objects):
    """Display the source of functions or classes as it stands in the package, without the docstrings of functions."""
    code = "\n\n".join(
        _without_docstring(textwrap.dedent(inspect.getsource(thing))).rstrip()
        for thing in objects
    )
    _display({"text/markdown": f"```python\n{code}\n```", "text/plain": code})


def _without_docstring(source):
    """The source of a function or class without its first docstring, which the page's own text replaces."""
    node = ast.parse(source).body[0]
    if ast.get_docstring(node) is None or len(node.body) == 1:
        return source
    lines, docstring = source.splitlines(), node.body[0]
    rest = lines[docstring.end_lineno :]
    while rest and not rest[0].strip():
        rest.pop(0)
    return "\n".join(lines[: docstring.lineno - 1] + rest)


def _display(bundle):
    try:
        from IPython import get_ipython
    except ImportError:
        get_ipython = lambda: None  # noqa: E731
    if get_ipython() is None:
        print(bundle["text/plain"])
        return
    from IPython.display import display

    display(bundle, raw=True)

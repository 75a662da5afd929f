"""What a notebook prints besides figures: verdicts on the lecture's claims, small tables, and reference code.

Each of the three displays HTML or Markdown in a notebook, and plain text elsewhere.
"""

import ast
import html
import inspect
import textwrap

CLAIM_TYPE = "application/vnd.lllcourse.claim+json"  # the tests read verdicts from executed notebooks by this type
NUMBERS_TYPE = "application/vnd.lllcourse.numbers+json"  # and what `keep` kept
VERDICTS = {
    "holds": "Holds here",
    "in-part": "Holds in part",
    "does-not-show": "Does not show here",
}


def claim(row, statement, *, holds, lecture, here):
    """Display the verdict of a run on a claim of the lecture.

    row: its id in `book/lecture_map.yml`, "L22". statement: the claim as one sentence.
    holds: computed from the run: a dictionary from the name of each part, "seed 0, 25 images", to a bool.
    lecture, here: the numbers of the lecture and those of the run, as short texts; lecture=None where the lecture gives
    none, so that the claim is ours.

    Raises TypeError or ValueError where holds is anything but such a dictionary.
    """
    parts = _parts(row, holds)
    failing = [name for name, held in parts.items() if not held]
    verdict = "in-part" if failing else "holds"
    verdict = "does-not-show" if len(failing) == len(parts) else verdict
    count = f" ({len(parts) - len(failing)} of {len(parts)})" * (len(parts) > 1)
    words = VERDICTS[verdict] + count
    words = f"Our claim {words[0].lower()}{words[1:]}" if lecture is None else words
    lines = {"Fails": "; ".join(failing), "Lecture": lecture, "Here": here}
    lines = [f"{label}: {text}" for label, text in lines.items() if text]
    facts = {"row": row, "statement": statement, "verdict": verdict, "parts": parts}
    text = html.escape(statement)
    at = f'<span class="lll-row">[{html.escape(row)}]</span>'  # the book makes it a link
    below = "<br>".join(map(html.escape, lines))
    _display({
        CLAIM_TYPE: facts | {"lecture": lecture, "here": here},
        "text/html": (
            f'<div class="lll-claim {verdict}" role="note">'
            f"<p><strong>{words}:</strong> {text} {at}</p><p>{below}</p></div>"
        ),
        "text/plain": "\n  ".join([f"{words}: {statement} [{row}]", *lines]),
    })  # fmt: skip


def _parts(row, holds):
    """The parts of a claim as plain bools, which NumPy's and torch's become."""
    asked = "a dictionary from the name of each part to a bool, {'seed 0': True}"
    if not isinstance(holds, dict):
        raise TypeError(f"claim({row!r}): holds must be {asked}, not {holds!r}")
    if not holds:
        raise ValueError(f"claim({row!r}): holds is empty: nothing to judge")
    parts = {}
    for name, held in holds.items():
        held = held.item() if getattr(held, "ndim", None) == 0 else held
        if not (isinstance(name, str) and name and isinstance(held, bool)):
            raise TypeError(
                f"claim({row!r}): holds must be {asked}, not {{{name!r}: {held!r}}}"
            )
        parts[name] = held
    return parts


def keep(opening, live):
    """Put numbers into a cell's output without showing them: a test compares a chapter's first picture with the page.

    opening: what the picture shows, from a record: a dictionary from what is measured, "GEM, 25 images", to a number,
    or to a list with one for each seed. live: the same as the page computes it, from the same names to numbers.

    Not in a cell that draws a figure with a caption: every output there gets the caption.
    """
    facts = {
        kind: {
            name: value.tolist() if hasattr(value, "tolist") else value
            for name, value in numbers.items()
        }
        for kind, numbers in {"opening": opening, "live": live}.items()
    }
    _display({
        NUMBERS_TYPE: facts,
        "text/html": "<span hidden></span>",  # else VS Code says that it cannot show it
        "text/plain": "",
    })  # fmt: skip


def table(header, rows, caption=None):
    """Display a small table. header: the names of the columns; rows: lists of cells, the first names the row.

    Floats are shown with three decimals, without a sign before zero; format a cell yourself to show it otherwise.
    caption: a sentence above it.
    Raises ValueError where a row has not as many cells as the header.
    """
    header = [str(name) for name in header]
    cells = [
        [
            f"{round(cell, 3) + 0:.3f}" if isinstance(cell, float) else str(cell)
            for cell in row
        ]
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


def spread(values, digits=1, scale=100):
    """The mean and the range of several runs as a short text, in per cent unless stated otherwise.

    values: (runs,). scale: what they are multiplied by. digits: behind the point.

    >>> spread([0.91, 0.93])
    '92.0 (91.0 to 93.0)'
    """
    values = [scale * float(value) for value in values]
    parts = sum(values) / len(values), min(values), max(values)
    mean, low, high = (f"{round(v, digits) + 0:.{digits}f}" for v in parts)
    return f"{mean} ({low} to {high})"


def in_words(values, digits=1, scale=100):
    """The value of every run as a short text, in per cent unless stated otherwise; see `spread`.

    >>> in_words([0.91, 0.93])
    '91.0, 93.0'
    """
    return ", ".join(
        f"{round(scale * float(v), digits) + 0:.{digits}f}" for v in values
    )


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
        print(bundle["text/plain"], end="\n" * bool(bundle["text/plain"]))
        return
    from IPython.display import display

    display(bundle, raw=True)

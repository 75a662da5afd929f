"""The {lecture-map} directive: rows of the lecture, where the book shows them, and what came out.

    ```{lecture-map}
    L3: Two digit tasks, one after the other: the first is forgotten.
    ```

gives the row its text and its anchor, `lecture.html#l3`. Chapter and kind are those of book/lecture_map.yml; verdict
and numbers are read from the executed chapters, which tools/build_book.py leaves in _build/executed before it makes the
pages.

The row ids in the boxes of verdicts become links to this page. (In the notebooks they are plain text, since the page is
nowhere near them on Colab.)
"""

import json
import re
from html import escape
from pathlib import Path

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

ROWS = "book/lecture_map.yml"
PAGE = "book/lecture"
CLAIM_TYPE = "application/vnd.lllcourse.claim+json"  # of lllcourse/notebook.py
VERDICTS = {"holds": "holds", "in-part": "holds in part", "does-not-show": "does not show"}
LINE = re.compile(r"([LC]\d+): (.+)")


class LectureMap(SphinxDirective):
    has_content = True

    def run(self):
        path = Path(self.env.srcdir) / ROWS
        self.env.note_dependency(str(path))
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        lines = [LINE.fullmatch(line) for line in self.content if line.strip()]
        unknown = [n for n, line in enumerate(lines, 1) if not line or line[1] not in rows]
        if unknown:
            raise self.error(f"line {unknown[0]} of this map is not 'L3: a sentence' with a row of {ROWS}")
        found = {line[1]: self.claims(line[1], rows[line[1]]) for line in lines}
        listing = nodes.container(classes=["lll-map"])
        listing += [self.row(line[1], line[2], rows[line[1]], found[line[1]]) for line in lines]
        return [*summary([facts for some in found.values() for facts in some or []]), listing]

    def row(self, row, text, facts, verdicts):
        """What the row is, where it is shown, and a paragraph for each verdict. verdicts: None if not executed."""
        box = nodes.container(classes=["lll-map-row"], ids=[row.lower()])
        box += nodes.paragraph("", "", nodes.strong(text=row), nodes.Text(" "), *self.inline(text))
        where = nodes.paragraph("", f"{facts['kind']} · ", self.chapter(facts["chapter"]), classes=["lll-map-where"])
        if facts.get("planned") or verdicts is None:
            where += nodes.Text(" · planned" if facts.get("planned") else " · not executed")
        box += [where, *map(verdict, verdicts or [])]
        return box

    def chapter(self, name):
        """A link to the chapter, whose title is put in when all are known; its name, where it is not written yet."""
        wing, _, page = name.partition("/")
        number, _, title = page.partition("_")
        if f"book/{name}" not in self.env.found_docs:
            return nodes.Text(f"{number} {title.replace('_', ' ')}")
        options = {"refdomain": "std", "reftype": "doc", "refdoc": self.env.docname, "refexplicit": False}
        link = addnodes.pending_xref("", nodes.inline(), reftarget=f"/book/{name}", refwarn=True, **options)
        return nodes.inline("", f"{number} ", link)

    def claims(self, row, facts):
        """The facts of the verdicts on the row, in the chapter as it was executed; None if it was not."""
        executed = Path(self.env.srcdir) / "_build/executed/book" / f"{facts['chapter']}.ipynb"
        if not executed.is_file():
            return None
        self.env.note_dependency(str(executed))
        return [claim for claim in claims(executed) if claim["row"] == row]

    def inline(self, text):
        """The nodes of one paragraph of Markdown, without the paragraph around them."""
        holder = nodes.Element()
        self.state.nested_parse([text], self.content_offset, holder)
        return [child for paragraph in holder.children for child in paragraph.children]


def claims(executed):
    """The facts of every verdict in an executed notebook."""
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return [one[CLAIM_TYPE] for one in data if CLAIM_TYPE in one]


def summary(facts):
    """A paragraph that counts the verdicts, or none where there are none yet."""
    counts = [f"{words} {sum(one['verdict'] == name for one in facts)}" for name, words in VERDICTS.items()]
    return [nodes.paragraph(text=f"Verdicts: {', '.join(counts)}.")] if facts else []


def verdict(facts):
    held = sum(facts["parts"].values())
    count = f" ({held} of {len(facts['parts'])})" if len(facts["parts"]) > 1 else ""
    paragraph = nodes.paragraph("", "", classes=["lll-map-verdict", facts["verdict"]])
    paragraph += nodes.strong(text=VERDICTS[facts["verdict"]] + count)
    lecture = "our claim" if facts["lecture"] is None else f"lecture: {facts['lecture']}"
    paragraph += nodes.Text(f": {facts['statement']}; {lecture}; here: {facts['here']}")
    return paragraph


def link_rows(app, pagename, templatename, context, doctree):
    """Link the row ids in the boxes of verdicts to the map, on a page that is being written."""
    if not context.get("body") or PAGE not in app.env.found_docs:
        return
    at = escape(app.builder.get_relative_uri(pagename, PAGE))

    def link(match):
        return f'<span class="lll-row">[<a href="{at}#{match[1].lower()}">{match[1]}</a>]</span>'

    context["body"] = re.sub(r'<span class="lll-row">\[(\w+)\]</span>', link, context["body"])


def setup(app):
    app.add_directive("lecture-map", LectureMap)
    app.connect("html-page-context", link_rows)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

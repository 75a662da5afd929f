"""Plain notebooks beside the book, in `_build/colab`: what MyST says to Sphinx, in Markdown that every notebook shows.

Colab, VS Code and JupyterLab know none of the book's directives. Here a quiz and a solution are folds, an exercise is a
heading, a term and a paper are links, a caption is a text below its figure, a folded cell is one of Colab's forms.
Assignments hold no MyST and are copied. A directive or a role that this file does not know is an error.
"""

import json
import posixpath
import re
import shutil
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pybtex.database import parse_file
from sphinx.directives.code import LiteralIncludeReader
from sphinx.util.inventory import InventoryFile

from book._ext.method_cards import CARDS, as_markdown
from book._ext.quiz import VERDICTS, answers

from .notebooks import FOLDED, address, dump, find_notebooks, source_of, tags_of, title_of

OPENING = re.compile(r"^(?::{3,}|`{3,})\{(?P<name>[a-z-]+)\} ?(?P<argument>.*)$")
OPTION = re.compile(r"^:(?P<name>[a-z-]+): ?(?P<value>.*)$")
CODE = re.compile(r"(`{3,}|~{3,}).*?^\1 *$|(`+)(?!`).*?(?<!`)\2(?!`)", re.DOTALL | re.MULTILINE)  # a block or a span
ROLE = re.compile(r"\{(?P<name>[a-z:]+)\}`(?P<text>[^`]+)`")
LINK = re.compile(r"\]\((?!https?:|#)(?P<path>[^)#\s]+)(?P<place>#[^)\s]*)?\)")
# Colab gives a notebook that asks for it a T4. The assignments need none.
ON_COLAB = {"accelerator": "GPU", "colab": {"gpuType": "T4"}}
SCALE = {
    "cell_type": "code",
    "execution_count": None,
    "id": "scale",
    "metadata": {},
    "outputs": [],
    "source": ["import lllcourse\n", "\n", "lllcourse.choose_scale()"],
}


def build(root: Path, html: Path, target: Path) -> int:
    """Write the plain notebooks of the book that was built in `html`, there too. Returns how many."""
    with (html / "objects.inv").open("rb") as file:
        terms = InventoryFile.load(file, "", posixpath.join).get("std:term", {})
    book = Book(root, {name: address for name, (_, _, address, _) in terms.items()})
    shutil.rmtree(target, ignore_errors=True)
    done = [(path, book.plain(path)) for path in find_notebooks(root) if path.is_relative_to(root / "book")]
    done += [(path, path.read_text("utf-8")) for path in sorted((root / "assignments").glob("[!_]*/*.ipynb"))]
    for path, text in done:
        for folder in (target, html / "_sources"):  # the second: what a page's download button gives
            place = folder / path.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    return len(done)


class Book:
    """What the plain notebooks take from the book: its terms (name: address), its papers, its cards, its address."""

    def __init__(self, root: Path, terms: dict[str, str]):
        self.root, self.terms = root, {name.lower(): place for name, place in terms.items()}
        self.inline = MarkdownIt("commonmark").use(dollarmath_plugin)
        for kind, sign in (("math_inline", "$"), ("math_inline_double", "$$")):
            self.inline.add_render_rule(kind, lambda _, tokens, i, *__, sign=sign: f"{sign}{tokens[i].content}{sign}")

    @cached_property
    def site(self) -> str:
        """The address of the pages, which follows from the repository's: https://OWNER.github.io/lllcourse/."""
        owner, name = address(self.root).split("/")[-2:]
        return f"https://{owner}.github.io/{name}/"

    @cached_property
    def papers(self) -> dict:
        return parse_file(str(self.root / "book/references.bib")).entries

    @cached_property
    def cards(self) -> dict:
        return yaml.safe_load((self.root / CARDS).read_text("utf-8"))

    def plain(self, path: Path) -> str:
        """The text of a chapter's plain notebook."""
        notebook = json.loads(path.read_text("utf-8"))
        cells, chapter = [], Chapter(self, path)
        for cell in notebook["cells"]:
            cells += chapter.text(cell) if cell["cell_type"] == "markdown" else chapter.code(cell)
            cells += [SCALE] if "bootstrap" in tags_of(cell) else []
        if chapter.solving:
            raise ValueError(f"{path}: a solution begins and does not end")
        return dump(notebook | {"cells": cells, "metadata": notebook["metadata"] | ON_COLAB})


class Chapter:
    """The cells of one chapter, in order: a solution may reach over several of them."""

    def __init__(self, book: Book, path: Path):
        self.book, self.path, self.solving = book, path, False

    def code(self, cell) -> list[dict]:
        """A code cell, folded where the book folds it, and its caption."""
        metadata = {key: value for key, value in cell["metadata"].items() if key not in ("mystnb", "jupyter")}
        source = source_of(cell)
        title = title_of(cell) if FOLDED in tags_of(cell) else "Solution" if self.solving else None
        title = "Installs the course's package" if "bootstrap" in tags_of(cell) else title
        if title:
            source = f"# @title {title}\n{source}"
            metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}
        made = [cell | {"metadata": metadata, "source": source.splitlines(keepends=True)}]
        if caption := cell["metadata"].get("mystnb", {}).get("figure", {}).get("caption"):
            made.append(markdown_cell(f"{cell['id']}-caption", f"*{self.markdown(caption).strip()}*"))
        return made

    def text(self, cell) -> list[dict]:
        source = self.markdown(source_of(cell)).strip("\n")
        return [cell | {"source": source.splitlines(keepends=True)}] if source else []

    # --- blocks -------------------------------------------------------------------------------------------------------

    def markdown(self, text: str) -> str:
        """MyST as plain Markdown."""
        lines, made, plain = text.split("\n"), [], []

        def flush():
            if plain:
                passage = self.spans("\n".join(plain))
                made.append(fold("Solution", passage) if self.solving and passage.strip() else passage)
                plain.clear()

        n = 0
        while n < len(lines):
            opening = OPENING.match(lines[n])
            if not opening:
                end = closing(lines, n) if lines[n].startswith("```") else n
                plain += lines[n : end + 1]
            else:
                flush()
                end = closing(lines, n)
                made.append(self.directive(opening["name"], opening["argument"], lines[n + 1 : end]))
            n = end + 1
        flush()
        return "\n".join(made)

    def directive(self, name: str, argument: str, body: list[str]) -> str:
        options = {}
        while body and (option := OPTION.match(body[0])):
            options[option["name"]], body = option["value"], body[1:]
        text = "\n".join(body).strip("\n")
        match name:
            case "quiz":
                return self.quiz(argument, body)
            case "exercise":
                return f"### Exercise: {self.spans(argument)}\n\n{self.markdown(text)}"
            case "solution":
                return fold("Solution", self.markdown(text))
            case "solution-start" | "solution-end":
                self.solving = name == "solution-start"
                return ""
            case "admonition":
                if "class" in options:  # dropdown
                    return fold(self.one_line(argument), self.markdown(text))
                return quoted(f"**{self.spans(argument)}**\n\n{self.markdown(text)}")
            case "method-card":
                card = self.markdown(as_markdown(self.book.cards[argument]))
                return quoted(re.sub(r"^(\w+)\n: ", r"**\1**: ", card, flags=re.MULTILINE))
            case "literalinclude":
                return f"```python\n{self.included(argument, options)}\n```"
        raise ValueError(f"{self.path}: nothing says how {{{name}}} is written in a plain notebook")

    def quiz(self, question: str, body: list[str]) -> str:
        folds = [
            fold(self.one_line(answer), f"**{VERDICTS[right]}** {self.spans(flat(reason))}")
            for right, answer, reason in answers(body)
        ]
        return "\n\n".join([f"<strong>{self.one_line(question)}</strong>", *folds])

    def included(self, name: str, options: dict) -> str:
        """The part of a file that the options choose, as Sphinx does."""
        reader = LiteralIncludeReader(
            str(self.path.parent / name), dict(options), SimpleNamespace(source_encoding="utf-8-sig")
        )
        return reader.read()[0].rstrip()

    # --- inside a line ------------------------------------------------------------------------------------------------

    def spans(self, text: str) -> str:
        """Terms, papers and links to other pages as links to the book; what stands in code stays."""
        made, last = [], 0
        for role in ROLE.finditer(text):
            made += [self.links(text[last : role.start()]), self.role(role["name"], role["text"])]
            last = role.end()
        return "".join([*made, self.links(text[last:])])

    def links(self, text: str) -> str:
        made, last = [], 0
        for code in CODE.finditer(text):
            made += [LINK.sub(self.link, text[last : code.start()]), code[0]]
            last = code.end()
        return "".join([*made, LINK.sub(self.link, text[last:])])

    def link(self, link: re.Match) -> str:
        there = (self.path.parent / link["path"]).resolve()
        if not there.is_file():
            raise ValueError(f"{self.path}: there is no {link['path']} to link to")
        page = there.relative_to(self.book.root).with_suffix(".html").as_posix()
        return f"]({self.book.site}{page}{link['place'] or ''})"

    def role(self, name: str, text: str) -> str:
        if name == "term":
            shown, _, term = text.rstrip(">").partition(" <")
            return f"[{flat(shown)}]({self.book.site}{self.book.terms[flat(term or shown).lower()]})"
        if name == "cite":
            return ", ".join(self.paper(key.strip()) for key in text.split(","))
        raise ValueError(f"{self.path}: nothing says how {{{name}}} is written in a plain notebook")

    def paper(self, key: str) -> str:
        """A link to a paper's own page, named by its authors and year."""
        paper = self.book.papers[key]
        names = [" ".join(person.prelast_names + person.last_names) for person in paper.persons["author"]]
        who = names[0] if len(names) == 1 else " and ".join(names) if len(names) == 2 else f"{names[0]} et al."
        fields = paper.fields
        places = [
            fields.get("url"),
            f"https://doi.org/{fields['doi']}" if "doi" in fields else None,
            f"https://arxiv.org/abs/{fields['eprint']}" if "eprint" in fields else None,
            f"{self.book.site}book/bibliography.html",
        ]
        return f"[({re.sub('[{}]', '', who)}, {fields['year']})]({next(filter(None, places))})"

    def one_line(self, text: str) -> str:
        """As HTML, for where Markdown is not read: the line of a fold. Formulas stay as they are."""
        return self.book.inline.renderInline(self.spans(flat(text)))


def closing(lines: list[str], start: int) -> int:
    """The line that closes the block that the line `start` opens."""
    fence = re.match(":+|`+", lines[start])[0]
    for n in range(start + 1, len(lines)):
        if lines[n].rstrip() == fence:
            return n
    raise ValueError(f"nothing closes {lines[start]!r}")


def fold(title: str, text: str) -> str:
    """A fold. The empty lines let what is in it be read as Markdown."""
    return f"<details><summary>{title}</summary>\n\n{text.strip()}\n\n</details>"


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip("\n").split("\n"))


def flat(text: str) -> str:
    return " ".join(text.split())


def markdown_cell(name: str, text: str) -> dict:
    return {"cell_type": "markdown", "id": name[:64], "metadata": {}, "source": text.splitlines(keepends=True)}

"""How long a chapter is for its reader: `python -m tools.measure [NOTEBOOK ...]`, every chapter by default.

*Words* are those that a page shows outside its folds, up to the heading "Exercises": text, captions, cards, titles of
folds, and what cells print; a formula counts as one. *Lines* are the non-blank lines of code that a page shows: cells
that are not folded, and what `show` and `literalinclude` print. Both are read from the executed notebook.
"""

import argparse
import importlib.util
import json
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import yaml
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from sphinx.directives.code import LiteralIncludeReader

ROOT = Path(__file__).parent.parent
WORDS_A_MINUTE, LINES_A_MINUTE = 200, 12
SILENT = {"remove-cell"}  # tags of cells that are not on the page at all
FOLDED_INPUT, FOLDED_OUTPUT = {"hide-input", "hide-cell", "remove-input"}, {"hide-output", "hide-cell", "remove-output"}
EXTENSIONS = {"amsmath", "colon_fence", "deflist", "dollarmath"}  # as in _config.yml
MARKDOWN = create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), RendererHTML)
FORMULA = "formula"


@dataclass
class Measure:
    """words, lines: see above. before_picture: how many words stand above the first picture, None without one.
    derivations: the words of each fold in the text, by its title.
    """

    words: int = 0
    lines: int = 0
    before_picture: int | None = None
    derivations: dict[str, int] = field(default_factory=dict)

    @property
    def minutes(self) -> float:
        return self.words / WORDS_A_MINUTE + self.lines / LINES_A_MINUTE


def measure(notebook: dict, folder: Path) -> Measure:
    """The measure of an executed notebook. folder: of its page, from which `literalinclude` finds its files."""
    reader = Reader(folder)
    for cell in notebook["cells"]:
        if reader.done:
            break
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            reader.markdown(source)
        elif cell["cell_type"] == "code" and not reader.skips:
            reader.code(source, cell["metadata"], cell.get("outputs", []))
    return reader.found


class Reader:
    """Goes through a page from the top and counts what it shows."""

    def __init__(self, folder: Path):
        self.folder, self.found = folder, Measure()
        self.done = False  # at the exercises
        self.skips = False  # between {solution-start} and {solution-end}

    def words(self, text: str) -> None:
        if not self.skips:
            self.found.words += len(re.findall(r"\S*\w\S*", text))

    def lines(self, text: str) -> None:
        if not self.skips:
            self.found.lines += sum(bool(line.strip()) for line in text.splitlines())

    def picture(self) -> None:
        if self.found.before_picture is None:
            self.found.before_picture = self.found.words

    def code(self, source: str, metadata: dict, outputs: list[dict]) -> None:
        tags = set(metadata.get("tags", []))
        if tags & SILENT:
            return
        if not tags & FOLDED_INPUT:
            self.lines(source)
        self.words(metadata.get("lllcourse", {}).get("title", ""))
        for output in outputs if not tags & FOLDED_OUTPUT else []:
            self.output(output)
        self.markdown(metadata.get("mystnb", {}).get("figure", {}).get("caption", ""))

    def output(self, output: dict) -> None:
        data = {kind: joined(text) for kind, text in output.get("data", {}).items()}
        if output["output_type"] == "stream":
            self.words(joined(output["text"]))
        elif "text/html" in data:
            self.words(without_tags(data["text/html"]))
        elif any(kind.startswith("image/") for kind in data):
            self.picture()
        elif "text/markdown" in data:
            self.markdown(data["text/markdown"])
        else:
            self.words(data.get("text/plain", ""))

    def markdown(self, text: str) -> None:
        for token in MARKDOWN.parse(text):
            if token.type == "inline":
                if token.content.strip() == "Exercises":
                    self.done = True
                    return
                self.words("".join(map(shown, token.children)))
                if any(child.type == "image" for child in token.children):
                    self.picture()
            elif token.type in ("math_block", "math_block_label", "amsmath"):
                self.words(FORMULA)
            elif token.type == "html_block":
                self.words(without_tags(token.content))
            elif token.type in ("fence", "colon_fence"):
                directive = re.fullmatch(r"\{([\w:-]+)\}\s*(.*)", token.info.strip())
                if directive:
                    self.directive(*directive.groups(), *options_of(token.content))
                elif token.info.strip() == "text":  # no code, such as the steps on a card
                    self.words(token.content)
                else:
                    self.lines(token.content)
            elif token.type == "code_block":
                self.lines(token.content)

    def directive(self, name: str, argument: str, options: dict[str, str], body: str) -> None:
        if name in ("solution-start", "solution-end"):
            self.skips = name == "solution-start"
        elif name in ("solution", "exercise-start", "exercise-end", "bibliography"):
            pass
        elif name == "dropdown" or "dropdown" in options.get("class", ""):
            self.words(argument)
            inside = Reader(self.folder)
            inside.markdown(body)
            self.found.derivations[argument] = inside.found.words
        elif name == "quiz":  # every answer folds around its explanation
            self.markdown(argument)
            for answer in re.findall(r"^- \[[ x]\] (.*(?:\n +\S.*)*)", body, re.MULTILINE):
                self.markdown(answer)
        elif name == "method-card":
            self.markdown(card(argument))
        elif name == "literalinclude":
            self.lines(included(self.folder, argument, options))
        elif name in ("code-block", "code"):
            self.lines(body)
        elif name == "math":
            self.words(FORMULA)
        elif name in ("figure", "image"):
            self.picture()
            self.markdown(body)
        else:
            self.markdown(argument)
            self.markdown(body)


def shown(token) -> str:
    """What a page shows of a piece of a line; a formula and a reference are one word each."""
    if token.type in ("softbreak", "hardbreak"):
        return " "
    if token.type.startswith("math_inline"):
        return FORMULA
    if token.type == "myst_role":
        if token.meta["name"].startswith("cite"):
            return " ".join(token.content.split(","))
        return re.sub(r"\s*<[^<>]*>$", "", token.content)
    return token.content if token.type in ("text", "code_inline") else ""


def options_of(content: str) -> tuple[dict[str, str], str]:
    """The options at the top of a directive, and its body."""
    lines = content.splitlines()
    options = {}
    while lines and (option := re.fullmatch(r":([\w-]+):\s*(.*)", lines[0])):
        options[option[1]] = option[2]
        lines.pop(0)
    return options, "\n".join(lines)


@cache
def card(name: str) -> str:
    """The card of a method as Markdown, by the extension that shows it."""
    spec = importlib.util.spec_from_file_location("method_cards", ROOT / "book/_ext/method_cards.py")
    extension = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(extension)
    return extension.as_markdown(yaml.safe_load((ROOT / extension.CARDS).read_text(encoding="utf-8"))[name])


def included(folder: Path, name: str, options: dict[str, str]) -> str:
    """The code that a `literalinclude` prints."""
    path = ROOT / name[1:] if name.startswith("/") else folder / name
    return LiteralIncludeReader(str(path), options, SimpleNamespace(source_encoding="utf-8")).read()[0]


def joined(text) -> str:
    return text if isinstance(text, str) else "".join(text) if isinstance(text, list) else ""


def without_tags(html: str) -> str:
    return re.sub(r"<[^>]*>", " ", html)


def executed(path: Path) -> Path:
    """Where `make book` left the executed copy of a chapter."""
    return ROOT / "_build/executed" / path.resolve().relative_to(ROOT)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    paths = parser.parse_args(argv).notebooks or sorted((ROOT / "book").glob("*/[0-9][0-9]_*.ipynb"))
    print(f"{'chapter':42} words  lines  picture after  minutes  longest derivation")
    for path in paths:
        ran = executed(path)
        found = measure(json.loads((ran if ran.is_file() else path).read_text(encoding="utf-8")), path.parent)
        after = "none" if found.before_picture is None else f"{found.before_picture} words"
        longest = max(found.derivations.values(), default=0)
        note = "" if ran.is_file() else "  not executed: without outputs"
        numbers = f"{found.words:5}  {found.lines:5}  {after:>13}  {found.minutes:7.0f}  {longest:18}"
        print(f"{path.stem:42} {numbers}{note}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

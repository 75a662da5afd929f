"""The {quiz} directive: a question to answer for oneself, without a kernel, a network or a line of JavaScript.

    :::{quiz} Why does the R table need a row 0?
    - [ ] To make it square.

      It is not square: it has one row more than it has columns.
    - [x] To know what an untrained network scores on each task.

      Forward transfer is measured against it.
    :::

Every answer becomes a fold that opens on "right" or "not quite" and its explanation. Where the directive is unknown
(Colab, JupyterLab) the same text reads as a list with ticked boxes.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ITEM = re.compile(r"^- \[([ x])\] ")
VERDICTS = {True: "Right.", False: "Not quite."}


def answers(lines):
    """Each answer in the lines of a quiz: is it right, its text, and its explanation, "" where there is none."""
    starts, found = [i for i, line in enumerate(lines) if ITEM.match(line)], []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        own = [lines[start][6:], *(line.strip() for line in lines[start + 1 : end])]
        blank = own.index("") if "" in own else len(own)
        found.append((ITEM.match(lines[start])[1] == "x", " ".join(own[:blank]), " ".join(own[blank:]).strip()))
    return found


class Quiz(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        found = answers(list(self.content))
        if len(found) < 2 or not any(right for right, *_ in found):
            raise self.error("a quiz needs two answers or more, '- [ ] ...' or '- [x] ...', and a right one among them")

        question = nodes.paragraph(classes=["lll-question"])
        question += self.inline(self.arguments[0])
        quiz = nodes.container(classes=["lll-quiz"])
        quiz += question
        for right, answer, reason in found:
            quiz += self.answer(right, answer, reason)
        return [quiz]

    def answer(self, right, answer, reason):
        """The nodes of one answer: a fold whose summary is its first paragraph."""
        if not reason:
            raise self.error(f"the answer '{answer}' has no explanation: add an indented paragraph below it")
        verdict = nodes.paragraph(classes=["lll-right" if right else "lll-wrong"])
        verdict += nodes.strong(text=VERDICTS[right])
        verdict += nodes.Text(" ")
        verdict += self.inline(reason)
        return [
            nodes.raw("", '<details class="lll-answer"><summary>', format="html"),
            *self.inline(answer),
            nodes.raw("", "</summary>", format="html"),
            verdict,
            nodes.raw("", "</details>", format="html"),
        ]

    def inline(self, text):
        """The nodes of one paragraph of Markdown, without the paragraph around them.

        As inline text alone: as a block, the answer "1." is the beginning of a list, with nothing in it.
        """
        children, messages = self.state.inline_text(text.strip(), self.lineno)
        return children + messages


def setup(app: Sphinx):
    app.add_directive("quiz", Quiz)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

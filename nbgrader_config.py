"""How nbgrader handles this course. It serves the repository's root (release) and, copied, every class folder (grade).

Folders have the same names in both: solutions/ (nbgrader's source), assignments/ (its release), and in a class also
submitted/, autograded/ and feedback/.
"""

import re
import secrets
from pathlib import Path

import bleach
import nbformat
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    GetGrades,
    OverwriteCells,
)
from nbgrader.utils import is_grade


class OnlyTexts(ClearOutput):
    """Leave a submission its texts. All metadata are the source's: kernel, tags, points, what is graded or withheld.

    So it does not matter what editors do to them, nor that a student tags a test to have it skipped. Of a cell that was
    copied, which keeps its grade id, the last one counts.
    """

    def preprocess(self, notebook, resources):
        names = resources["nbgrader"]  # and the present folder is the class's
        path = Path("solutions", names["assignment"], f"{names['notebook']}.ipynb")
        source = nbformat.read(path, as_version=4)
        metadata = {
            cell.metadata.nbgrader.grade_id: cell.metadata for cell in source.cells if "nbgrader" in cell.metadata
        }
        for cell in reversed(notebook.cells):
            theirs = cell.get("metadata", {}).get("nbgrader") or {}
            cell.metadata = metadata.pop(theirs.get("grade_id"), nbformat.from_dict({}))
        notebook.metadata = source.metadata
        return super().preprocess(notebook, resources)


class HideTests(ClearHiddenTests):
    """Take the hidden tests out of the feedback, which would show them and quote them in tracebacks.

    A failed check keeps its message; a hidden one keeps the first line, the hint.
    """

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code" and is_grade(cell):
            lines = cell.source.split("\n")
            begin = [n for n, line in enumerate(lines, 1) if "BEGIN HIDDEN" in line]
            for output in cell.outputs if begin else []:
                if output.output_type == "error":
                    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
                    at = re.search(r"Cell In\[\d+\], line (\d+)", text)
                    seen = at is not None and int(at[1]) < begin[0]
                    message = str(output.evalue)
                    if output.ename != "CheckFailed":
                        message = f"{output.ename}: {message}"
                    if output.ename == "CellTimeoutError":
                        message = "This took longer than grading allows."
                    elif not seen:
                        first = message.split("\n")[0]
                        message = f"A test that you do not see failed.\n{first}"
                    output.traceback = [message]
        return super().preprocess_cell(cell, resources, cell_index)


# What Markdown and tables consist of. Without class and id nothing looks like, or is taken for, a part of the page.
TAGS = {
    *bleach.ALLOWED_TAGS, "br", "caption", "dd", "del", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "img", "p", "pre", "s", "span", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
}  # fmt: skip
ATTRIBUTES = {
    "a": ["href", "title"],
    "img": ["src", "alt", "title"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
}
# data: holds the pictures of a written answer. In a picture no script runs, and a page from data: cannot reach ours.
PROTOCOLS = {*bleach.ALLOWED_PROTOCOLS, "data"}


def cleaned(html):
    return bleach.clean(html, TAGS, ATTRIBUTES, PROTOCOLS)


@pass_context
def cleaned_markdown(context, text):
    """The HTML that nbconvert makes of Markdown, cleaned.

    Cleaned before, a formula would show &lt; for <, a > would quote nothing, and a link to javascript: would stay.
    """
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = IPythonRenderer(escape=False, attachments=attachments, exclude_anchor_links=True)
    return cleaned(MarkdownWithMath(renderer).render(text))


class Sanitize(SanitizeHTML):
    """Keep what the students' code puts out from running in a page. `cleaned_markdown` does it for Markdown, later."""

    def preprocess_cell(self, cell, resources, cell_index):
        for output in cell.get("outputs", []):
            if "metadata" in output:  # nbconvert writes a picture's width as it stands
                output.metadata = nbformat.from_dict({})
        if cell.cell_type == "markdown":
            return cell, resources
        return super().preprocess_cell(cell, resources, cell_index)

    def sanitize_html_tags(self, html_str):
        return cleaned(html_str)


c = get_config()  # noqa: F821 (nbgrader puts it there)

c.CourseDirectory.course_id = "lllcourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
# What no step copies: the answers that stand beside an assignment, caches, and a student's modules, one of which could
# stand in for torch. An assignment is one notebook.
c.CourseDirectory.ignore = [
    "mistakes.py",
    "alternatives.py",
    "experiment.py",
    "*.py",
    "*.pyc",
    "*.so",
    "__pycache__",
    ".ipynb_checkpoints",
    ".*",
]

c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"

# nbgrader zip_collect: ada_whatever_ewc.ipynb and ada_whatever/ewc.ipynb, as Moodle and others pack them, are ada's.
c.FileNameCollectorPlugin.named_regexp = r".*/(?P<student_id>[^/_]+)_(?:.*[/_])?(?P<file_id>[^/_]+\.ipynb)$"

# A cell that takes longer is interrupted, fails, and the next one runs: far above what a right solution needs.
c.Execute.timeout = 180
c.Execute.startup_timeout = 120
c.Execute.iopub_timeout = 30
# nbclient skips the cells with this tag, and a skipped test passes: so nobody may know it. An empty one is a tag too.
c.Execute.skip_cells_with_tag = secrets.token_hex()
# Without it every kernel warns of its local, unencrypted socket.
c.Execute.extra_arguments = ["--log-level=ERROR"]

# nbgrader takes anything on stderr in a test cell, a library's warning too, for a failed test. Errors come another way.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"[\s\S]"
c.OverwriteCells.add_missing_cells = True  # a deleted test cell is put back and run

c.Autograde.sanitize_preprocessors = [
    OnlyTexts,
    OverwriteCells,
    CheckCellMetadata,
]
c.GenerateFeedback.preprocessors = [GetGrades, HideTests, CSSHTMLHeaderPreprocessor]
# For the feedback and for formgrader's pages, which run in the grader's browser. nbgrader's templates for both overrule
# HTMLExporter.sanitize_html, and what is named under GenerateFeedback is not switched on by that.
c.HTMLExporter.preprocessors = [Sanitize]
c.HTMLExporter.filters = {"markdown2html": cleaned_markdown}
c.Sanitize.sanitized_output_types = {"text/html"}
c.Sanitize.safe_output_keys = {
    "text/plain",
    "text/latex",
    "text/markdown",
    "image/png",
    "image/jpeg",
}

c.FormgradeExtension.debug = False  # it would print this file, and cannot

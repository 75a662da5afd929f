"""How nbgrader handles this course. It serves the repository's root (release) and, copied, every class folder (grade).

Folders have the same names in both: solutions/ (nbgrader's source), assignments/ (its release), and in a class also
submitted/, autograded/ and feedback/. Submissions are graded by `python -m grader grade`; what stands here for
`nbgrader autograde` gives a silent and honest one the same points, and protects from no other.
"""

import html
import re

import nbformat
import nh3
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbgrader.preprocessors import ClearHiddenTests, GetGrades
from nbgrader.utils import is_grade


class HideTests(ClearHiddenTests):
    """Take the hidden tests out of nbgrader's own feedback: of a test that failed, the first line of why is left."""

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code" and is_grade(cell):
            cell.outputs = [output for output in cell.outputs if output.output_type == "error"]
            for output in cell.outputs:  # a traceback quotes the test
                output.traceback = [str(output.evalue).split("\n")[0]]
        return super().preprocess_cell(cell, resources, cell_index)


# What Markdown and tables consist of. Without class and id nothing looks like, or is taken for, a part of the page.
TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
# A picture from elsewhere would tell its owner who reads the page, and when.
ADDRESSES = {"href": r"https?:|mailto:", "src": r"data:image/"}
LONGEST = 20_000  # characters of Markdown that are rendered; a parser could take minutes for more


def address(tag, name, value):
    return value if name not in ADDRESSES or re.match(ADDRESSES[name], value) else None


def cleaned(text):
    whole = text.encode("utf-8", "replace").decode("utf-8")  # without half characters
    schemes = {"http", "https", "mailto", "data"}
    return nh3.clean(whole, tags=TAGS, attributes=ATTRIBUTES, url_schemes=schemes, attribute_filter=address)


class Renderer(IPythonRenderer):
    """nbconvert's, which gives up the whole page where a picture was not handed in."""

    def image(self, text, url, title=None):
        missing = url.startswith("attachment:") and url.removeprefix("attachment:") not in self.attachments
        return super().image(text, "" if missing else url, title)


@pass_context
def cleaned_markdown(context, text):
    """The HTML that nbconvert makes of Markdown, cleaned; the text itself where it is too long or cannot be rendered.

    Cleaned before, a formula would show &lt; for <, a > would quote nothing, and a link to javascript: would stay.
    """
    pictures = []  # Colab writes them into the text, and a parser needs seconds for each

    def lay_aside(found):
        pictures.append(found[0])
        return f"data:image/png;base64,Picture{len(pictures) - 1}="

    text = re.sub(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+", lay_aside, text)
    try:
        if len(text) > LONGEST:
            raise ValueError("too long")
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = Renderer(escape=False, attachments=attachments, exclude_anchor_links=True)
        made = cleaned(MarkdownWithMath(renderer).render(text))
    except Exception:  # it is a student's text, and parsers fail in many ways
        return cleaned(f"<pre>{html.escape(text)}</pre>")
    return re.sub(
        r"data:image/png;base64,Picture(\d{1,6})=", lambda found: "".join(pictures[int(found[1]) :][:1]), made
    )


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

# For `nbgrader autograde` alone. A right solution needs less than a tenth of it.
c.Execute.timeout = 180

# For formgrader's button "Generate Feedback": the page that students should get is the one of `python -m grader grade`.
c.GenerateFeedback.preprocessors = [GetGrades, HideTests, CSSHTMLHeaderPreprocessor]
# For that page and for formgrader's, which run in the grader's browser. nbgrader's templates for both overrule
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

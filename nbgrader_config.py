"""How nbgrader handles this course. It serves the repository's root (release) and, copied, every class folder (grade).

Folders have the same names in both: solutions/ (nbgrader's source), assignments/ (its release), and in a class also
submitted/, autograded/ and feedback/. Submissions are graded by `python -m grader grade`; what stands here for
`nbgrader autograde` gives a silent and honest one the same points, and protects from no other.
"""

import functools
import html
import io
import re
import zipfile
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import nbformat
import nh3
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbgrader.plugins import ExtractorPlugin
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
PICTURE = r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+"


def address(tag, name, value):
    return value if name not in ADDRESSES or re.match(ADDRESSES[name], value) else None


def cleaned(text):
    whole = text.encode("utf-8", "replace").decode("utf-8")  # without half characters
    schemes = {"http", "https", "mailto", "data"}
    return nh3.clean(whole, tags=TAGS, attributes=ATTRIBUTES, url_schemes=schemes, attribute_filter=address)


class Renderer(IPythonRenderer):
    """nbconvert's, which gives up the whole page where a picture was not handed in. attachments: addresses by name."""

    def image(self, text, url, title=None):
        if url.startswith("attachment:"):
            url = self.attachments.get(unquote(url.removeprefix("attachment:")), "")
        return super().image(text, url, title)


@pass_context
def cleaned_markdown(context, text):
    """The HTML that nbconvert makes of Markdown, cleaned; the text itself where it is too long or cannot be rendered.

    Cleaned before, a formula would show &lt; for <, a > would quote nothing, and a link to javascript: would stay.
    """
    pictures = {}  # a parser needs seconds for each, and Colab writes them into the text

    def lay_aside(found):
        pictures[str(len(pictures))] = found[0]
        return f"data:image/png;base64,Picture{len(pictures) - 1}="

    text = re.sub(PICTURE, lay_aside, text)
    try:
        if len(text) > LONGEST:
            raise ValueError("too long")
        attachments = {
            unquote(name): lay_aside(found)
            for name, bundle in context.get("cell", {}).get("attachments", {}).items()
            for kind, content in list(bundle.items())[:1]
            if (found := re.fullmatch(PICTURE, "".join(f"data:{kind};base64,{content}".split())))
        }
        renderer = Renderer(escape=False, attachments=attachments, exclude_anchor_links=True)
        made = cleaned(MarkdownWithMath(renderer).render(text))
    except Exception:  # it is a student's text, and parsers fail in many ways
        return cleaned(f"<pre>{html.escape(text)}</pre>")
    # Each once: a thousand links to one picture would make a page of gigabytes.
    return re.sub(r"data:image/png;base64,Picture(\d{1,6})=", lambda found: pictures.pop(found[1], found[0]), made)


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


# Of one student: bytes that are unpacked (as many as a notebook may have), notebooks with archives, archives in each
# other.
LARGEST, MOST, DEEPEST = 100_000_000, 100, 2
TOTAL = 10_000_000_000  # bytes that are unpacked of all
NO_HAND_IN = re.compile(r"\.+[^.]|__MACOSX")  # .ipynb_checkpoints, and what Macs put beside each file


def student_of(parts):
    """Whose a file is: what stands before the first _ in its path. What a student's own archive says comes later."""
    return next((part.split("_")[0] for part in parts if "_" in part), "")


def open_entry(archive, entry):
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # bzip2 makes gigabytes of one kilobyte
        raise ValueError("packed in an unusual way")
    return archive.open(entry)


class Extractor(ExtractorPlugin):
    """Take the notebooks out of a platform's archive and of students' .zip files: ada_1_file/x.zip/a/ewc.ipynb becomes
    ada_ewc.ipynb.

    nbgrader's own takes every file, unpacks without an end, and gives up the class for one damaged archive or for two
    notebooks of one name. No tar: over a forged one of 100 MB Python before 3.11.10 would sit for months.
    """

    def extract(self, archive_path, extracted_path):
        self.folder, self.total = Path(extracted_path), 0
        self.files, self.bytes, self.found = Counter(), Counter(), Counter()
        for path in sorted(Path(archive_path).rglob("*")):
            *folders, name = path.relative_to(archive_path).parts
            if path.is_symlink() or not path.is_file():
                continue
            if path.suffix.lower() == ".zip" and not student_of(folders):  # the platform's
                self.attempt(self.unpack, folders, name, path)
            else:
                self.attempt(self.take, folders, name, functools.partial(path.open, "rb"))
        for student in sorted(self.files.keys() - {student for student, _ in self.found}):
            self.log.error("Left out: %.200a handed in no notebook that can be read", student)

    def attempt(self, step, folders, name, content):
        """Take a step with a file; where that fails, say so and go on."""
        try:
            step(folders, name, content)
        except Exception as error:  # it is a student's file, and archives fail in many ways
            self.log.error("Left out: %.200a: %.200s", "/".join([*folders, name]), error)

    def unpack(self, folders, name, archive):
        """Take what is in a .zip, as if it lay in these folders."""
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            if min((entry.header_offset for entry in entries), default=0):  # a student's, whole in the rest of another
                raise ValueError("the archive is cut off")
            for entry in entries:
                *inner, name = re.split(r"[/\\]", entry.filename)
                if name:
                    self.attempt(self.take, [*folders, *inner], name, functools.partial(open_entry, opened, entry))

    def take(self, folders, name, open_file):
        """Take a student's notebook, or what is in a student's archive. Raises ValueError for what is left out."""
        parts, kind = [*folders, name], Path(name).suffix.lower()
        if any(NO_HAND_IN.match(part) for part in parts):
            return
        student = student_of(parts)
        if not student:
            raise ValueError("no student's name before a _")
        if re.search(r"[\x00-\x1f\x7f-\x9f]", student + name):
            raise ValueError("control characters in a name")
        wanted = kind in (".ipynb", ".zip")
        self.files[student] += wanted  # 0 for another file: who handed in nothing else is named
        if not wanted or self.files[student] > MOST + 1:
            return
        if self.files[student] > MOST:
            raise ValueError(f"the student has more than {MOST} notebooks and archives")
        if kind == ".zip" and sum(part.lower().endswith(".zip") for part in parts) > DEEPEST:
            raise ValueError("too many archives within archives")
        left = max(0, min(LARGEST - self.bytes[student], TOTAL - self.total))
        with open_file() as file:
            content = file.read(left + 1)
        self.bytes[student] += len(content)
        self.total += len(content)
        if len(content) > left:
            raise ValueError(f"more than {LARGEST / 1e6:g} MB of a student, or {TOTAL / 1e9:g} GB of all, unpacked")
        if kind == ".zip":
            self.unpack(parts, name, io.BytesIO(content))
        else:
            self.put(student, name[: -len(kind)].split("_")[-1], content)

    def put(self, student, stem, content):
        """Write a notebook; where there are several, none has the name that is graded, and the grader says so."""
        self.found[student, stem] += 1
        path, number = self.folder / f"{student}_{stem}.ipynb", self.found[student, stem]
        if number == 2:
            path.rename(path.with_stem(f"{path.stem} copy 1"))
        if number > 1:
            path = path.with_stem(f"{path.stem} copy {number}")
        path.write_bytes(content)


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
c.ZipCollectApp.extractor_plugin = Extractor
c.FileNameCollectorPlugin.named_regexp = r".*/(?P<student_id>[^/_]+)_(?P<file_id>[^/_]+\.ipynb)$"  # as it names them

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

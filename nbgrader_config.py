"""How nbgrader handles this course. It serves the repository's root (release) and, copied, every class folder (grade).

Folders have the same names in both: solutions/ (nbgrader's source), assignments/ (its release), and in a class also
submitted/, autograded/ and feedback/.
"""

import re

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    DeduplicateIds,
    GetGrades,
    OverwriteCells,
    OverwriteKernelspec,
)
from nbgrader.utils import is_grade


class RepairMetadata(DeduplicateIds):
    """Undo what editors do to nbgrader's metadata and nbgrader refuses: a cell that was copied, or another version."""

    def preprocess_cell(self, cell, resources, cell_index):
        meta = cell.metadata.get("nbgrader") or {}
        if meta.get("grade_id"):
            for key in ("grade", "solution", "locked", "task"):
                meta.setdefault(key, False)
            # Every notebook that we release has this version, so another one says nothing.
            meta["schema_version"] = MetadataValidator.schema_version
            cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if not cell.metadata.get("nbgrader", {}).get("grade_id"):
            cell.metadata.pop("nbgrader", None)
        return cell, resources


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


c = get_config()  # noqa: F821 (nbgrader puts it there)

c.CourseDirectory.course_id = "lllcourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
# What no step copies: the answers that stand beside an assignment, caches, and a student's modules, one of which could
# stand in for torch. An assignment is one notebook.
c.CourseDirectory.ignore = [
    "mistakes.py",
    "alternatives.py",
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
c.FileNameCollectorPlugin.named_regexp = (
    r".*/(?P<student_id>[^/_]+)_(?:.*[/_])?(?P<file_id>[^/_]+\.ipynb)$"
)

# A cell that takes longer is interrupted, fails, and the next one runs: far above what a right solution needs.
c.Execute.timeout = 180
c.Execute.startup_timeout = 120
c.Execute.iopub_timeout = 30
# Without it every kernel warns of its local, unencrypted socket.
c.Execute.extra_arguments = ["--log-level=ERROR"]

# nbgrader takes anything on stderr in a test cell, a library's warning too, for a failed test. Errors come another way.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"[\s\S]"
c.OverwriteCells.add_missing_cells = True  # a deleted test cell is put back and run

c.Autograde.sanitize_preprocessors = [
    ClearOutput,
    RepairMetadata,
    OverwriteKernelspec,
    OverwriteCells,
    CheckCellMetadata,
]
c.GenerateFeedback.preprocessors = [GetGrades, HideTests, CSSHTMLHeaderPreprocessor]

c.FormgradeExtension.debug = False  # it would print this file, and cannot

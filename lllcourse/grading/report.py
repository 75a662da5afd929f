"""What `check.report` prints: the saved notebook, run from the top in a process of its own, by question."""

import json
import subprocess
import sys
import time
from pathlib import Path


def show(name):
    """Run `name`.ipynb of the present folder and print what passes, what does not, and what to hand in."""
    path = Path(f"{name}.ipynb").resolve()
    if not path.is_file():
        print(
            f"There is no {path.name} in {path.parent}. Save the notebook under this name. On Colab, download it "
            "(File, Download); what you see above is what passes."
        )
        return
    saved = time.strftime("%H:%M", time.localtime(path.stat().st_mtime))
    print(f"{path.name} as it was saved at {saved}, from the top:")
    command = [sys.executable, "-m", "lllcourse.grading.report", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=path.parent)
    try:
        rows = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        print(f"It could not be run:\n{done.stderr.strip()[-500:]}")
        return
    for row in rows:
        print(f"  {row['what']:<24} {row['points']:g} points  {row['state']}")
    print(f"The tests above are the visible ones. Hand in this file: {path}")


def results(path):
    """A row for each graded cell of the notebook at `path`: what, points, state."""
    from IPython.core.interactiveshell import InteractiveShell

    from . import check

    class Shell(InteractiveShell):
        def enable_gui(self, gui=None):
            """%matplotlib asks for it, and a kernel has it."""

    shell, rows = Shell.instance(), []
    for cell in json.loads(Path(path).read_text(encoding="utf-8-sig"))["cells"]:
        meta = cell["metadata"]
        marks = meta.get("nbgrader") or {}
        source = "".join(cell["source"])
        what = str(marks.get("grade_id", "")).removeprefix("test-")
        if marks.get("grade") and marks.get("solution"):
            empty = source.strip() in ("", "YOUR ANSWER HERE")
            state = "no answer yet" if empty else "read by a person"
            rows.append({"what": what, "points": marks["points"], "state": state})
        if cell["cell_type"] != "code" or {"demo", "bootstrap"} & {
            *meta.get("tags", [])
        }:
            continue
        result = shell.run_cell(source)
        check.outcomes[str(marks.get("grade_id"))] = result.success
        if marks.get("grade") and not marks.get("solution"):
            error = result.error_before_exec or result.error_in_exec
            said = getattr(error, "hint", f"{type(error).__name__}: {error}")
            state = "passes" if error is None else said.splitlines()[0]
            rows.append({"what": what, "points": marks["points"], "state": state})
    return rows


if __name__ == "__main__":
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        rows = results(sys.argv[1])
    print(json.dumps(rows))

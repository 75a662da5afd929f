"""What grading a class costs: `PYTHONPATH=. python benchmarks/grading_time.py [students]`, 24 of `ewc` by default.

The same submissions, half of them right and half with a known mistake, without demo cells: by the runner, then by
`nbgrader autograde`. CPU seconds of a process and all that it started, wall seconds, and the memory of the grader's own
processes (not the students') at the most in the first and in the last third: where nothing leaks, it is the same.
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from grader import assignment

ROOT = Path(__file__).parents[1]
NAME = "ewc"


def submissions(count):
    """Notebooks by student."""
    release = json.loads((ROOT / "assignments" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    release["cells"] = [cell for cell in release["cells"] if "demo" not in cell["metadata"].get("tags", [])]
    answers = {cell.id: cell for cell in assignment.read(ROOT / f"solutions/{NAME}/{NAME}.ipynb").role("solution")}
    mistakes = assignment.mistakes(ROOT, NAME)
    for number in range(count):
        notebook, mistake = json.loads(json.dumps(release)), mistakes[number % len(mistakes)]
        for cell in notebook["cells"]:
            if cell["id"] in answers:
                wrong = number % 2 and mistake.function in answers[cell["id"]].functions
                cell["source"] = mistake.source if wrong else answers[cell["id"]].source
        yield f"s{number:03d}", notebook


def timed(command, folder):
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=folder, env=os.environ | path, **quiet)
    memory = []
    while process.poll() is None:
        memory.append(megabytes(psutil.Process(process.pid)))
        time.sleep(0.5)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    third = max(1, len(memory) // 3)
    return cpu, time.monotonic() - began, max(memory[:third]), max(memory[-third:])


def megabytes(process):
    """Of a process and those that it started itself."""
    total = 0
    for one in [process, *process.children()]:
        with contextlib.suppress(psutil.Error):  # it has ended by now
            total += one.memory_info().rss / 1e6
    return total


def main(count):
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        for student, notebook in submissions(count):
            path = folder / "submitted" / student / NAME / f"{NAME}.ipynb"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(notebook), encoding="utf-8")
        cpu, *others = timed([sys.executable, "-m", "grader", "grade", folder, NAME], ROOT)
        # Nobody waits for what dies in a sandbox, so its time is in no process's account: the results have it.
        results = (folder / ".graded" / "results" / NAME).glob("*.json")
        cpu += sum(json.loads(path.read_bytes())["cpu_seconds"] for path in results)
        rows = [("the runner", (cpu, *others))]
        rows.append(("again, nothing changed", timed([sys.executable, "-m", "grader", "grade", folder, NAME], ROOT)))
        autograde = [sys.executable, "-m", "nbgrader", "autograde", NAME, "--force"]
        rows.append(("nbgrader autograde", timed(autograde, folder)))
    print(f"{count} submissions of {NAME}, {os.cpu_count()} cores")
    print(f"{'':24}{'CPU s':>8}{'a submission':>14}{'wall s':>8}{'a submission':>14}{'MB, first':>11}{'last':>6}")
    for what, (cpu, wall, first, last) in rows:
        print(f"{what:24}{cpu:8.0f}{cpu / count:14.2f}{wall:8.0f}{wall / count:14.2f}{first:11.0f}{last:6.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 24)

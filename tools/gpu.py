"""On a machine with a GPU: methods against the CPU, seeds at once, mixed precision, pruned networks, and the notebooks
of the book at the gpu scale: `python -m tools.gpu [NAME ...]`, all of them by default.

Writes `lllcourse/results/gpu.json`, where pages find it, one part after another, so that a run that was stopped goes on
where it was: of the same card and the same versions only what is missing is measured, or what is named. With --jobs
notebooks share the card, and the record says how many did.
"""

import argparse
import html
import json
import os
import platform
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch

from lllcourse.notebook import CLAIM_TYPE

from .build_book import chapters, execute
from .kernels import ENVIRONMENT

BENCHMARKS = ("pruned_time", "precision_time", "seeds_time", "gpu_time")
FULL_SIZE = "book/guides/full_size.ipynb"  # the longest; its tables are recorded too, as far as its data are there
MEMORY = "import torch; print(torch.cuda.max_memory_reserved() // 2**20)"  # MiB, after a notebook's last cell


def main(root=Path(__file__).parents[1], names=(), jobs=1) -> int:
    if not torch.cuda.is_available():
        print("There is no CUDA GPU here, so nothing was measured.", file=sys.stderr)
        return 1
    record = root / "lllcourse/results/gpu.json"
    here = {"card": torch.cuda.get_device_name(), "torch": torch.__version__, "cuda": torch.version.cuda}
    here |= {"python": platform.python_version()}
    known = json.loads(record.read_text("utf-8")) if record.is_file() else {}
    if {key: known.get(key) for key in here} != here:
        known = here | {"benchmarks": {}, "notebooks": {}}
    errors = []

    def note(part, name, found):
        known[part][name] = found
        record.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
        print(f"{name}: {found}", flush=True)

    def asked(part, everything):
        missing = [name for name in everything if not known[part].get(name, {"complete": False}).get("complete", True)]
        return [name for name in everything if name in names] if names else missing

    for name in asked("benchmarks", BENCHMARKS):
        command = [sys.executable, str(root / f"benchmarks/{name}.py")]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            errors.append(f"{name}:\n{run.stderr}")
        else:
            text = run.stdout
            note("benchmarks", name, json.loads(text) if text.startswith("{") else {"lines": text.splitlines()})
    os.environ.update(ENVIRONMENT | {"LLLCOURSE_SCALE": "gpu"})
    with ProcessPoolExecutor(jobs) as pool:
        order = sorted(asked("notebooks", chapters(root)), key=lambda name: name != FULL_SIZE)
        running = {pool.submit(execute, root, name, MEMORY): name for name in order}
        for done in as_completed(running):
            name, (notebook, facts, error) = running[done], done.result()
            if error:
                errors.append(error)
            if not error or name == FULL_SIZE:
                more = {"complete": not error, "tables": tables(notebook)} if name == FULL_SIZE else {}
                note("notebooks", name, measured(notebook, facts) | {"at a time": jobs} | more)
    print("\n\n".join(errors), file=sys.stderr)
    return int(bool(errors))


def measured(notebook, facts):
    """What a notebook took, and of each verdict how many of its parts hold."""
    found = {key: facts[key] for key in ("seconds", "cpu_seconds")} | {"MiB": "".join(facts["answer"])}
    claims = [data[CLAIM_TYPE] for _, data in outputs(notebook) if CLAIM_TYPE in data]
    return found | {"verdicts": {c["row"]: [sum(c["parts"].values()), len(c["parts"])] for c in claims}}


def tables(notebook):
    """The tables that cells displayed, {cell id: {"caption", "rows"}}, the header as the first row."""
    found = {}
    for cell, data in outputs(notebook):
        text = "".join(data.get("text/html", ""))
        if 'class="lll-table"' in text:
            rows = [re.findall(r"<t[hd][^>]*>(.*?)<", row) for row in text.split("<tr>")[1:]]
            caption = "".join(re.findall("<caption>(.*?)<", text))
            found[cell] = {"caption": html.unescape(caption), "rows": [list(map(html.unescape, row)) for row in rows]}
    return found


def outputs(notebook):
    return [(cell.id, output.get("data", {})) for cell in notebook.cells for output in cell.get("outputs", [])]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure on a GPU what lllcourse/results/gpu.json records.")
    parser.add_argument("names", nargs="*", help="benchmarks or notebooks to measure again (default: what is missing)")
    parser.add_argument("--jobs", type=int, default=1, help="notebooks at a time")
    given = parser.parse_args()
    sys.exit(main(names=given.names, jobs=given.jobs))

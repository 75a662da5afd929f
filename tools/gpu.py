"""On a machine with a GPU: methods against the CPU, seeds at once, mixed precision, pruned networks, and the chapters
at the gpu scale: `python -m tools.gpu [NAME ...]`, all by default. (`full_size.py` records the page of that name.)

Writes `lllcourse/results/gpu.json`, where pages find it, one part after another, so that a run that was stopped goes on
where it was: of the same card and the same versions only what is missing is measured, or what is named. With --jobs
chapters share the card, and the record says how many did.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch

from lllcourse.notebook import CLAIM_TYPE

from . import full_size
from .build_book import chapters, execute
from .kernels import ENVIRONMENT

BENCHMARKS = ("pruned_time", "precision_time", "seeds_time", "gpu_time")
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
        return [name for name in everything if (name in names if names else name not in known[part])]

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
        order = asked("notebooks", [name for name in chapters(root) if name != full_size.PAGE])
        running = {pool.submit(execute, root, name, MEMORY): name for name in order}
        for done in as_completed(running):
            name, (notebook, facts, error) = running[done], done.result()
            if error:
                errors.append(error)
            else:
                note("notebooks", name, measured(notebook, facts) | {"at a time": jobs})
    print("\n\n".join(errors), file=sys.stderr)
    return int(bool(errors))


def measured(notebook, facts):
    """What a notebook took, and of each verdict how many of its parts hold."""
    found = {key: facts[key] for key in ("seconds", "cpu_seconds")} | {"MiB": "".join(facts["answer"])}
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    claims = [data[CLAIM_TYPE] for data in shown if CLAIM_TYPE in data]
    return found | {"verdicts": {c["row"]: [sum(c["parts"].values()), len(c["parts"])] for c in claims}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure on a GPU what lllcourse/results/gpu.json records.")
    parser.add_argument("names", nargs="*", help="benchmarks or notebooks to measure again (default: what is missing)")
    parser.add_argument("--jobs", type=int, default=1, help="notebooks at a time")
    given = parser.parse_args()
    sys.exit(main(names=given.names, jobs=given.jobs))

"""On a machine with a GPU: methods against the CPU, seeds at once, mixed precision, and each chapter at the gpu scale.

Writes `benchmarks/gpu.json`, one part after another, so that a run that was stopped goes on where it was: of the same
card and the same versions only what is missing is measured.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch

from .build_book import chapters, execute
from .kernels import ENVIRONMENT

BENCHMARKS = ("gpu_time", "seeds_time", "precision_time")


def main(root=Path(__file__).parents[1]) -> int:
    if not torch.cuda.is_available():
        print("There is no CUDA GPU here, so nothing was measured.", file=sys.stderr)
        return 1
    record = root / "benchmarks/gpu.json"
    here = {"card": torch.cuda.get_device_name(), "torch": torch.__version__, "cuda": torch.version.cuda}
    known = json.loads(record.read_text("utf-8")) if record.is_file() else {}
    if {key: known.get(key) for key in here} != here:
        known = here | {"benchmarks": {}, "chapters": {}}
    errors = []

    def note(part, name, found):
        known[part][name] = found
        record.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
        print(f"{name}: {found}", flush=True)

    for name in BENCHMARKS:
        if name not in known["benchmarks"]:
            command = [sys.executable, str(root / f"benchmarks/{name}.py")]
            environment = os.environ | {"PYTHONPATH": str(root)}
            printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            note("benchmarks", name, printed.splitlines())
    os.environ.update(ENVIRONMENT | {"LLLCOURSE_SCALE": "gpu", "PYTHONPATH": str(root)})
    for name in chapters(root):
        if name not in known["chapters"]:
            _, facts, error = execute(root, name)
            if error:
                errors.append(error)
            else:
                note("chapters", name, {key: facts[key] for key in ("seconds", "cpu_seconds")})
    print("\n\n".join(errors), file=sys.stderr)
    return int(bool(errors))


if __name__ == "__main__":
    sys.exit(main())

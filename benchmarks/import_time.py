"""What `import lllcourse` adds to `import torch`: `python benchmarks/import_time.py`. Medians of nine, in one run."""

import statistics
import subprocess
import sys
import time


def seconds(code):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


cases = {
    "import torch": "import torch",
    "import torch, lllcourse": "import torch, lllcourse",
    "... and all that a chapter imports": (
        "import torch, lllcourse; from lllcourse import claim, lifelong, metrics, models, tasks"
    ),
}
runs = {name: [] for name in cases}
for _ in range(9):  # in turn, so that a slow moment of the machine hits all alike
    for name, code in cases.items():
        runs[name].append(seconds(code))
base = statistics.median(runs["import torch"])
for name, times in runs.items():
    median = statistics.median(times)
    print(f"{name:36} {median:6.2f} s  {median - base:+6.2f} s  x {median / base:.2f}")

"""Every chapter runs on a GPU, as far as that can be seen without one: on the fake device, at the smoke scale."""

import os
import re
import subprocess
import sys

import pytest

from .notebooks import ROOT, runs

CHAPTERS = sorted((ROOT / "book").glob("*/*.ipynb"))


@pytest.mark.parametrize("path", [pytest.param(path, marks=runs(path), id=path.stem) for path in CHAPTERS])
def test_a_chapter_runs_on_the_device(path):
    environment = os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "tests.book.on_the_device", str(path)]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr[-3000:]
    [ran] = re.findall(r"(\d+) operations on the device", result.stdout)
    assert int(ran) > 1000

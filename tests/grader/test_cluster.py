"""The same work on a cluster gives the same scores, also where a machine is lost in the middle."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from .submissions import ROOT, filled, hand_in, solution
from .test_grade import automatic_points, grade


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.prove
def test_a_cluster_of_which_one_worker_is_killed_gives_the_same_scores(tmp_path):
    """A scheduler and two workers, each a process of its own."""
    pytest.importorskip("distributed", reason="pip install distributed")
    here, there = tmp_path / "here", tmp_path / "there"
    for number in range(6):
        functions = solution() if number % 2 else {"remember": solution()["remember"]}
        for folder in (here, there):
            hand_in(folder, f"s{number}", filled(functions))
    assert grade(here).returncode == 0

    address = f"127.0.0.1:{free_port()}"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", address, "--dashboard-address", ":0"]
    started = [subprocess.Popen(run, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL)]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", f"tcp://{address}", "--nthreads", "1", "--no-nanny"]
    try:
        for _ in range(2):
            started.append(
                subprocess.Popen(
                    worker, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True
                )
            )
        command = [sys.executable, "-m", "grader", "grade", there, "ewc", "--cluster", f"tcp://{address}"]
        grading = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        results = there / ".graded" / "results" / "ewc"
        deadline = time.monotonic() + 300
        while not list(results.glob("*.json")) and time.monotonic() < deadline and grading.poll() is None:
            time.sleep(0.2)
        os.killpg(started[-1].pid, signal.SIGKILL)
        said, _ = grading.communicate(timeout=600)
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert grading.returncode == 0, said
    for number in range(6):
        assert automatic_points(there, f"s{number}") == automatic_points(here, f"s{number}"), said

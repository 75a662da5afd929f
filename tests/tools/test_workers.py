"""A worker whose parent was killed ends by itself."""

import os
import signal
import subprocess
import sys
import time

CODE = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from tools.workers import end_with
def main():
    context = multiprocessing.get_context(sys.argv[1])
    workers = {"mp_context": context, "initializer": end_with, "initargs": (os.getpid(),)}
    with ProcessPoolExecutor(1, **workers) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 60).result()
if __name__ == "__main__":
    main()
"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_worker_ends_with_its_parent(tmp_path):
    script = tmp_path / "pool.py"
    script.write_text(CODE)
    for start in ("fork", "spawn"):
        environment = os.environ | {"PYTHONPATH": os.getcwd()}
        parent = subprocess.Popen([sys.executable, script, start], stdout=subprocess.PIPE, env=environment, text=True)
        worker = int(parent.stdout.readline())
        assert alive(worker)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        for _ in range(100):
            if not alive(worker):
                break
            time.sleep(0.1)
        assert not alive(worker), start

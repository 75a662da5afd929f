"""Every method on a GPU: `python benchmarks/gpu_time.py`, on a machine that has one.

Three pairs of split digits, the network 784-100-100-10, batches of 32, the last scenario of each method. Printed are
how far R is from that of the CPU, in full precision and inside `torch.autocast` with float16; the wall seconds of both
(the CPU with one thread); and how often a step waits for the GPU: counted by torch, as the difference between runs of
three epochs and of one, so that the wait at the end of an epoch, for the check of its losses, is in it.
"""

import time
import warnings

import torch

from lllcourse import lifelong, tasks
from lllcourse.models import MLP

torch.set_num_threads(1)
METHODS = {
    "fine-tuning": lifelong.Method,
    "L2": lambda: lifelong.L2(0.1),
    "EWC": lambda: lifelong.EWC(100.0),
    "online EWC": lambda: lifelong.OnlineEWC(100.0),
    "SI": lambda: lifelong.SI(1.0),
    "MAS": lambda: lifelong.MAS(1.0),
    "RWalk": lambda: lifelong.RWalk(1.0),
    "SCP": lambda: lifelong.SCP(100.0),
    "LwF": lifelong.LwF,
    "replay": lambda: lifelong.Replay(200),
    "GEM": lambda: lifelong.GEM(50),
    "A-GEM": lambda: lifelong.AGEM(50),
    "iCaRL": lambda: lifelong.ICaRL(200),
    "generative replay": lambda: lifelong.GenerativeReplay(200),
    "PackNet": lambda: lifelong.PackNet(0.5),
    "progressive networks": lifelong.Progressive,
    "CPG": lambda: lifelong.CPG(0.5, 0.95),
}
sequence = tasks.split()[:3]
STEPS = sum(-(-len(task.train) // 32) for task in sequence)


def run(name, device, epochs):
    method = METHODS[name]()
    net = lifelong.ProgressiveMLP if name == "progressive networks" else MLP
    model = net(784, 100, 100, 10).to(device)
    start = time.perf_counter()
    learned = lifelong.learn(method, model, sequence, scenario=method.scenarios[-1], epochs=epochs)
    return learned.R, time.perf_counter() - start


def waits(name, epochs):
    """How often the whole run waits for the GPU."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        run(name, "cuda", epochs)
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in told)


if __name__ == "__main__":
    if not torch.cuda.is_available():
        raise SystemExit(print("There is no CUDA GPU here, so nothing was measured."))
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    print(f"{'':22}{'R apart':>9}{'in half':>9}{'CPU':>8}{'GPU':>8}{'waits a step':>14}")
    for name in METHODS:
        run(name, "cuda", 1)  # warm
        (R, cpu), (other, gpu) = (run(name, device, 3) for device in ("cpu", "cuda"))
        with torch.autocast("cuda", torch.float16):
            half, _ = run(name, "cuda", 3)
        apart = [(R - found).abs().max() for found in (other, half)]
        each = (waits(name, 3) - waits(name, 1)) / (2 * STEPS)
        print(f"{name:22}{apart[0]:9.3f}{apart[1]:9.3f}{cpu:6.2f} s{gpu:6.2f} s{each:14.2f}", flush=True)

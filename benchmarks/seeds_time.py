"""Several seeds side by side against one after another: `python benchmarks/seeds_time.py [SEEDS ...]`.

By default 3 seeds, and 10. Two permuted tasks, the network 784-100-100-10, batches of 32, 2 epochs; on the CPU one
thread and its CPU seconds, the least of three, taken in turn; on a GPU wall seconds, once. And how far the accuracies
are apart.
"""

import sys
import time

import torch

from lllcourse import device, tasks
from lllcourse.lifelong import EWC, Method, Replay, learn, learn_seeds
from lllcourse.models import network

torch.set_num_threads(1)
METHODS = {"fine-tuning": Method, "EWC": lambda: EWC(1.0), "replay": lambda: Replay(200)}
GPU = device().type != "cpu"
clock = time.perf_counter if GPU else time.process_time


def timed(run):
    start = clock()
    found = run()
    return clock() - start, found


if __name__ == "__main__":
    sequence = {}

    def make_tasks(seed):
        return sequence.setdefault(seed, tasks.permuted(2, seed))

    learn_seeds(Method, network, make_tasks, [0, 1], epochs=1)  # torch loads parts of itself at the first use
    learn(Method(), network(), make_tasks(0), epochs=1)
    print(f"{device()}, torch {torch.__version__}\n{'':24} {'in a row':>9} {'together':>9} {'ratio':>6}")
    for n in map(int, sys.argv[1:] or (3, 10)):
        for name, make in METHODS.items():
            best = [float("inf")] * 2
            for _ in range(1 if GPU else 3):
                row, alone = timed(
                    lambda make=make, n=n: [
                        learn(make(), network(s), make_tasks(s), seed=s, epochs=2) for s in range(n)
                    ]
                )
                side, both = timed(lambda make=make, n=n: learn_seeds(make, network, make_tasks, range(n), epochs=2))
                best = [min(best[0], row), min(best[1], side)]
            apart = max((a.R - b.R).abs().max().item() for a, b in zip(alone, both, strict=True))
            print(
                f"{name + f', {n} seeds':24} {best[0]:7.2f} s {best[1]:7.2f} s {best[0] / best[1]:6.2f}"
                f"   accuracies at most {apart:.3f} apart"
            )

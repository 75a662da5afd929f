"""What GEM's projection costs beside the gradients that it needs: `python benchmarks/gem_time.py`.

Twenty permuted tasks, the network 784-100-100-10, batches of 32, one thread, CPU time. Measured over the training on
the last task, for which 19 constraints hold; the share that counts is that of the solve (products, dual and
correction: all of `gem.project`) in the whole step.
"""

import time
from dataclasses import replace

import torch

from lllcourse import tasks
from lllcourse.lifelong import AGEM, GEM, Method, agem, gem, learn
from lllcourse.models import MLP

torch.set_num_threads(1)
T, EXAMPLES, BATCH = 20, 1000, 32
sequence = [replace(t, train=t.train[:EXAMPLES]) for t in tasks.permuted(T)]
steps = -(-EXAMPLES // BATCH)


def timed(function, spent):
    def wrapper(*arguments):
        start = time.process_time()
        result = function(*arguments)
        spent.append(time.process_time() - start)
        return result

    return wrapper


def measure(method):
    """Milliseconds of CPU a step on the last task: the whole step, and the solve in it."""
    spent = []
    originals = gem.project, agem.project
    gem.project, agem.project = (timed(f, spent) for f in originals)
    try:
        learned = learn(method, MLP(784, 100, 100, 10), sequence, epochs=1)
    finally:
        gem.project, agem.project = originals
    solve = sum(spent[-steps:]) if spent else 0.0
    return learned.cpu_seconds[-1] / steps * 1e3, solve / steps * 1e3


cases = {
    "fine-tuning": Method,
    "GEM, memory 25": lambda: GEM(25),
    "GEM, memory 25, margin 0.5": lambda: GEM(25, margin=0.5),
    "GEM, memory 256": lambda: GEM(256),
    "A-GEM, memory 256, batch 32": lambda: AGEM(256),
}
measure(Method())  # torch loads parts of itself at the first optimiser
plain = None
print(f"{'':28} {'step':>8} {'x plain':>8} {'solve':>8} {'share':>6}")
for name, make in cases.items():
    # the least of three: other work on the machine only ever adds
    step, solve = min(measure(make()) for _ in range(3))
    plain = plain or step
    print(f"{name:28} {step:5.2f} ms {step / plain:8.1f} {solve:5.2f} ms {solve / step:6.1%}")

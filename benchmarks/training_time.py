"""Fine-tuning against a hand-written plain loop, and the methods against it: `python benchmarks/training_time.py`.

Same data, network, batch size and epochs, one thread; medians of five, taken in turn.
"""

import statistics
import time

import torch
from torch.nn import functional as F

from lllcourse import tasks
from lllcourse.lifelong import EWC, L2, MAS, SCP, SI, Method, OnlineEWC, RWalk, learn
from lllcourse.models import MLP

torch.set_num_threads(1)
EPOCHS, sequence = 5, tasks.permuted(5)


def plain_loop():
    model = MLP(784, 100, 100, 10)
    start = time.process_time()
    for task in sequence:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(EPOCHS):
            order = torch.randperm(len(task.train))
            for batch in order.split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(task.train.x[batch]), task.train.y[batch]).backward()
                optimizer.step()
    return time.process_time() - start


def ours(method):
    return sum(learn(method, MLP(784, 100, 100, 10), sequence, epochs=EPOCHS).cpu_seconds)


METHODS = (L2, EWC, OnlineEWC, SI, MAS, RWalk, SCP)
cases = {"plain loop": plain_loop, "fine-tuning": lambda: ours(Method())} | {
    method.__name__: lambda method=method: ours(method(1.0)) for method in METHODS
}
runs = {name: [] for name in cases}
plain_loop()  # torch loads parts of itself at the first optimiser
for _ in range(5):
    for name, run in cases.items():
        runs[name].append(run())
medians = {name: statistics.median(times) for name, times in runs.items()}
print(f"{'':12} CPU s  ratio (fine-tuning: to the plain loop; methods: to fine-tuning)")
for name, seconds in medians.items():
    base = medians["plain loop" if name == "fine-tuning" else "fine-tuning"]
    ratio = "" if name == "plain loop" else f"{seconds / base:6.2f}"
    print(f"{name:12} {seconds:5.2f} {ratio}")

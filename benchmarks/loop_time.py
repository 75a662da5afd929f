"""What the course's loop costs beside one tuned by hand: `python benchmarks/loop_time.py`.

Five permuted tasks, the network 784-100-100-10, batches of 32, 2 epochs (GEM: 1), one thread, CPU time of the whole run
with its evaluation on all tasks after each. By hand: all weights and all gradients in one flat buffer each, no check,
no hook, and for GEM one pass over all memories. Both see the same batches, so their accuracies tell whether they do
the same. The least of three, taken in turn.
"""

import time

import torch
from torch.nn import functional as F

from lllcourse import metrics, tasks
from lllcourse.lifelong import EWC, GEM, Method, Replay, ewc, gem, learn
from lllcourse.models import MLP

torch.set_num_threads(1)
LR, BATCH, MEMORY, LAM = 0.1, 32, 200, 1.0
sequence = tasks.permuted(5)
T = len(sequence)


class Flat:
    """The network, its weights and its gradients in one buffer each."""

    def __init__(self):
        self.model = MLP(784, 100, 100, 10)
        parts = list(self.model.parameters())
        self.weights = torch.cat([p.detach().flatten() for p in parts])
        self.gradient = torch.zeros_like(self.weights)
        sizes = [p.numel() for p in parts]
        for p, w, g in zip(parts, self.weights.split(sizes), self.gradient.split(sizes), strict=True):
            p.data, p.grad = w.view_as(p), g.view_as(p)

    def backward(self, x, y):
        self.gradient.zero_()
        F.cross_entropy(self.model(x), y).backward()

    def rows(self, x, y):
        """The gradient of each task on its memory, (t, P), from one pass over x (t, m, 784) and y (t, m)."""
        t, m = y.shape
        hidden, z = [], x.flatten(0, 1)
        with torch.no_grad():
            for layer in self.model.layers[:-1]:
                hidden.append(z)
                z = torch.relu(layer(z))
            delta = self.model.layers[-1](z).softmax(1)
            delta[torch.arange(t * m), y.flatten()] -= 1
            delta, pieces = delta / m, []
            for layer, a in zip(reversed(self.model.layers), [z, *reversed(hidden)], strict=True):
                d = delta.view(t, m, -1)
                pieces[:0] = [(d.mT @ a.view(t, m, -1)).flatten(1), d.sum(1)]
                delta = (delta @ layer.weight) * (a > 0)
        return torch.cat(pieces, 1)

    @torch.no_grad()
    def accuracies(self):
        right = [(self.model(task.test.x).argmax(1) == task.test.y).float().mean() for task in sequence]
        return torch.stack(right)


def by_hand(method, epochs):
    """The accuracy at the end of a run with this method, which is None, "replay", "EWC" or "GEM"."""
    net, kept, draw = Flat(), [], torch.Generator().manual_seed(0)
    importance = anchor = share = None
    net.accuracies()
    for i, task in enumerate(sequence, 1):
        order = torch.Generator().manual_seed(i)
        x, y = task.train.x, task.train.y
        if kept and method:
            old = [torch.stack(parts) for parts in zip(*kept, strict=True)]
            flat = [part.flatten(0, 1) for part in old]
        for _ in range(epochs):
            for chosen in torch.randperm(len(y), generator=order).split(BATCH):
                bx, by = x[chosen], y[chosen]
                if method == "replay" and kept:
                    more = torch.randperm(len(flat[1]), generator=draw)[:BATCH]
                    bx, by = torch.cat([bx, flat[0][more]]), torch.cat([by, flat[1][more]])
                net.backward(bx, by)
                g = net.gradient
                if method == "GEM" and kept:
                    G = net.rows(*old)
                    if (G @ g < 0).any():
                        g = gem.project(g, G)
                net.weights.add_(g, alpha=-LR)
                if share is not None:
                    net.weights.lerp_(anchor, share)
        if method == "EWC":
            new = torch.cat([b.flatten() for b in ewc.importance(net.model, x)])
            before = (torch.zeros_like(new), net.weights) if importance is None else (importance, anchor)
            importance = before[0] + new
            anchor = before[1].lerp(net.weights, torch.where(importance > 0, new / importance, 0.0))
            share = 1 / (1 + 1 / (2 * LR * LAM * importance))
        if method in ("replay", "GEM"):
            size = MEMORY // T if method == "replay" else MEMORY
            picked = torch.randperm(len(y), generator=draw)[:size]
            kept.append((x[picked], y[picked]))
        end = net.accuracies()
    return end.mean().item()


def ours(method, epochs):
    R = learn(method, MLP(784, 100, 100, 10), sequence, epochs=epochs, batch_size=BATCH, lr=LR).R
    return metrics.accuracy(R)


CASES = {
    "fine-tuning": (None, Method, 2),
    "EWC": ("EWC", lambda: EWC(LAM), 2),
    "replay, 200 images": ("replay", lambda: Replay(MEMORY), 2),
    "GEM, 200 images a task": ("GEM", lambda: GEM(MEMORY), 1),
}

if __name__ == "__main__":
    by_hand(None, 1)  # torch loads parts of itself at the first use
    spent, accuracy = {}, {}
    for _ in range(3):
        for name, (kind, make, epochs) in CASES.items():
            for way in ("hand", "course"):
                start = time.process_time()
                accuracy[name, way] = by_hand(kind, epochs) if way == "hand" else ours(make(), epochs)
                seconds = time.process_time() - start
                spent[name, way] = min(seconds, spent.get((name, way), seconds))
    print(f"{'':24} {'by hand':>8} {'course':>8} {'ratio':>6}   accuracy at the end, %")
    for name in CASES:
        hand, course = spent[name, "hand"], spent[name, "course"]
        both = " and ".join(f"{100 * accuracy[name, way]:.1f}" for way in ("hand", "course"))
        print(f"{name:24} {hand:6.2f} s {course:6.2f} s {course / hand:6.2f}   {both}")

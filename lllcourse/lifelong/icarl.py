"""iCaRL: classes are added; keep a few chosen examples of each, and answer with the class whose examples are nearest.

    answer(x) = argmin over classes c of | phi(x) - mu_c |,   mu_c the mean of phi over the exemplars of c

phi are the features in the last hidden layer, scaled to length 1, and so is mu_c. The mean needs no output layer, so
nothing favours the newest classes. Exemplars are herded: taken one by one so that the mean of those taken stays as
close as possible to the mean of the class. The network trains on new data and exemplars: new classes against their
labels, old classes against what the network said before the task, all as separate yes-or-no questions.

    L = mean over examples of  sum over classes seen of  BCE(sigmoid(z_c), target_c)

Rebuffi, Kolesnikov, Sperl and Lampert 2017, "iCaRL: Incremental classifier and representation learning"
(arXiv:1611.07725). The paper trains on the union of new data and exemplars; here a batch of exemplars joins every new
batch, so that a small memory is seen as often as a large one.
"""

import torch
from torch.nn import functional as F

from .. import checks
from ..training import device_of, evaluating
from .lwf import frozen, weights
from .memory import some
from .method import Method
from .recorder import nbytes


def herd(features, m):
    """Which m examples to keep, in this order: int64 (m,), all of them if there are no more than m.

    features: (n, d), of one class. The k-th choice is the example, not yet taken, with which the mean of the k taken is
    closest to the mean of all n. So the first few of a longer choice are the choice of a few.

    Raises ValueError for no features, and an m below 1.
    """
    check_herd(features, m)
    mean, total = features.mean(0), torch.zeros_like(features[:1])
    free = torch.ones(len(features), dtype=torch.bool, device=features.device)
    taken = []
    for k in range(1, min(m, len(features)) + 1):
        distance = (mean - (total + features) / k).norm(dim=1)
        best = distance.where(free, torch.inf).argmin(keepdim=True)  # (1,)
        total = total + features[best]
        free = free & (torch.arange(len(free), device=free.device) != best)
        taken.append(best)
    return torch.cat(taken)


def check_herd(features, m):
    """Raise ValueError unless at least one example is to be chosen, and there is one."""
    checks.count("m", m, "an empty herd has no mean")
    checks.require(
        len(features), "features is empty: a herd needs at least one example"
    )


def nearest(features, means):
    """The number of the closest row of means, (classes, d), for each row of features, (n, d): int64 (n,)."""
    return torch.cdist(features, means).argmin(1)


class ICaRL(Method):
    """iCaRL, for classes that are added one group after another.

    memory: how many exemplars are kept in all; every class seen has an equal share, what does not divide is left free.
    batch: how many of them join every new batch. seed: of that draw. Raises ValueError where a number is below 1, where
    the memory is too small for the classes of a task, for a class that comes a second time, and for a network without
    `features`.

    Only classes with exemplars can be the answer: those of a task, from its end on. Before the first task is learned
    there are none, and the largest output answers, as in fine-tuning.
    """

    scenarios = ("class",)

    def __init__(self, memory, batch=32, seed=0):
        checks.count("memory", memory, "one for each class at least")
        checks.count("batch", batch, "iCaRL trains on exemplars too")
        self.size, self.batch = memory, batch
        self.generator = checks.generator(seed)
        # for each class x (m, ...), best first
        self.exemplars, self.teacher = (
            {},
            None,
        )

    def before_task(self, model, task):
        if not hasattr(model, "features"):
            raise ValueError(
                f"model is a {type(model).__name__} without a method features(x); "
                "iCaRL needs one that returns its last hidden layer, (n, d), as MLP has"
            )
        again = sorted({*self.exemplars} & {*task.classes})
        if again:
            raise ValueError(
                f"task {task.name!r} brings {again} again; iCaRL needs classes that are new, so take a `split`"
            )
        classes = len(self.exemplars) + len(task.classes)
        if self.size < classes:
            raise ValueError(
                f"memory is {self.size}; with {task.name!r} there are {classes} classes, so keep {classes} or more"
            )
        self.all = self.stored() if self.exemplars else None

    def loss(self, model, x, y, active):
        if self.exemplars:
            old_x, old_y = some(self.all, self.batch, self.generator)
            x, y = torch.cat([x, old_x]), torch.cat([y, old_y])
        z = model(x)
        target = F.one_hot(y, z.shape[1]).to(z.dtype)
        if self.exemplars:
            answers = self.teacher(x).sigmoid()
            target = torch.where(self.old, answers, target)
        questions = F.binary_cross_entropy_with_logits(z, target, reduction="none")
        if active is not None:  # one mask an example (joint training): all of them
            seen = active if active.ndim == 1 else active.any(0)
            questions = questions.where(seen, 0.0)
        return questions.sum(1).mean()

    def predict(self, model, x, active):
        known = [c for c in self.exemplars if active is None or active[c]]
        if not known:
            return super().predict(model, x, active)
        means = [unit(phi(model, self.exemplars[c]).mean(0)) for c in known]
        winner = nearest(phi(model, x), torch.stack(means))
        return torch.tensor(known, device=x.device)[winner]

    @torch.no_grad()
    def after_task(self, model, task, active):
        data = task.train.to(device_of(model))
        new = data.y.unique().tolist()
        share = self.size // (len(self.exemplars) + len(new))
        for c, x in self.exemplars.items():
            self.exemplars[c] = x[
                :share
            ].clone()  # a view would keep what is cut off
        for c in new:
            x = data.x[data.y == c]
            self.exemplars[c] = x[herd(phi(model, x), share)]
        self.teacher = frozen(model)
        self.old = active.new_zeros(active.shape)  # the classes with exemplars
        for c in self.exemplars:
            self.old[c] = True

    def stored(self):
        """All exemplars and their labels, x (n, ...) and y int64 (n,)."""
        x = torch.cat(list(self.exemplars.values()))
        sizes = torch.tensor([len(part) for part in self.exemplars.values()])
        labels = torch.tensor(list(self.exemplars))
        return x, labels.repeat_interleave(sizes).to(x.device)

    def storage(self):
        """The exemplars' bytes (a class needs no label for each) and the frozen network's."""
        return nbytes(*self.exemplars.values(), *weights(self.teacher))


def phi(model, x):
    """The features of x, (n, d), each row of length 1."""
    with evaluating(model):
        return unit(model.features(x).flatten(1))


def unit(vectors):
    """The vectors (last axis) scaled to length 1; zero stays zero."""
    return F.normalize(vectors, dim=-1)

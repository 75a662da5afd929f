"""A digit that the student never saw, by the temperature: as the student answers, and with its bias corrected.

For each way {"raw", "corrected": {"unseen": accuracy on the test images of that digit, "seen": on the others, "all"}},
and the prior q of the unseen digit. "two digits": all but two digits are unseen. "halves": no image of a digit at all,
but the upper half of one image above the lower half of another.
"""

import torch

from lllcourse import training
from lllcourse.compression import dense, unseen
from lllcourse.compression.distillation import taught
from lllcourse.data import Split, digits

from ._runs import SEEDS, SHARED, TEACHER, student

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "sizes": SHARED["sizes"],
    "T": SHARED["T"],
    "digit": 3,
    "two": [7, 8],
    "epochs": 10,
    "epochs_two": 20,
    "temperatures": [1, 2, 4, 8, 20],
}


def run(seed, sizes, T, digit, two, epochs, epochs_two, temperatures) -> dict:
    teacher, train = dense.trained(TEACHER, seed), digits().train

    def taught_on(split, t, missing, epochs=epochs):
        model = student(sizes, seed, split, epochs, taught(teacher, T=t))
        q = unseen.prior(teacher, split, t)
        fixed = unseen.corrected(model, unseen.shift(q, torch.full_like(q, 1 / len(q)), t))
        found = {"raw": apart(model, missing), "corrected": apart(fixed, missing)}
        return found | {"prior": q[missing].sum().item()}

    seen = train[train.y != digit]
    result = {str(t): taught_on(seen, t, [digit]) for t in temperatures}
    result["hard"] = {"raw": apart(student(sizes, seed, seen, epochs), [digit])}
    both = torch.isin(train.y, torch.tensor(two))
    others = [k for k in range(10) if k not in two]
    result["two digits"] = taught_on(train[both], T, others, epochs_two)
    result["halves"] = taught_on(halves(train, seed), T, [digit])
    return {"unseen": result}


def apart(model, missing):
    test = digits().test
    gone = torch.isin(test.y, torch.tensor(missing))
    parts = {"unseen": test[gone], "seen": test[~gone], "all": test}
    return {name: training.evaluate(model, part) for name, part in parts.items()}


def halves(split, seed):
    """Images of which the lower half comes from another image. Their labels stand for nothing."""
    other = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))
    x = split.x.clone()
    x[:, 392:] = split.x[other, 392:]
    return Split(x, split.y)

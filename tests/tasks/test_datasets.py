"""Full data sets: as torchvision reads them, and refused in a sentence where they are not there."""

import os
import re
import struct
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lllcourse import metrics, models, tasks
from lllcourse.tasks import dataset

from ..proofs import ROOT, files


def gray(n):
    """n images of 28 x 28, classes in turn, and the first value of each is its number."""
    data = torch.randint(0, 256, (n, 28, 28), generator=torch.Generator().manual_seed(n)).byte()
    data[:, 0, 0] = torch.arange(n) % 256
    return data, torch.arange(n) % 10


@pytest.fixture
def torchvision(monkeypatch):
    """A stand-in: it hands out what torchvision's classes have, or raises what they raise."""

    def data_set(read):
        def made(folder, train, download):
            if folder == "empty" and not download:
                raise RuntimeError("Dataset not found. You can use download=True to download it")
            if folder == "empty":
                raise RuntimeError("Error downloading train-images-idx3-ubyte.gz")
            if folder == "damaged":
                raise ValueError("not enough bytes")
            data, targets = read(120 if train else 20)
            return SimpleNamespace(data=data, targets=targets)

        return made

    def colours(n):
        return np.arange(n * 32 * 32 * 3, dtype=np.uint8).reshape(n, 32, 32, 3), [i % 10 for i in range(n)]

    datasets = SimpleNamespace(MNIST=data_set(gray), FashionMNIST=data_set(gray), CIFAR10=data_set(colours))
    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace(datasets=datasets))


def test_the_last_sixth_of_each_class_is_for_validation(torchvision):
    task = dataset("mnist")
    assert [len(part) for part in (task.train, task.validation, task.test)] == [100, 20, 20]
    number = (255 * torch.cat([task.train.x[:, 0], task.validation.x[:, 0]])).round().int()
    assert number.tolist() == list(range(120))  # the last two of twelve of each class
    assert task.validation.y.bincount().tolist() == [2] * 10 and task.classes == tuple(range(10))
    assert task.train.x.shape == (100, 784) and task.train.x.dtype == torch.float32
    assert task.train.x.min() >= 0 and 0.9 < task.train.x.max() <= 1


def test_colours_come_one_channel_after_another(torchvision):
    task = dataset("cifar10")
    red, green = task.train.x[0, :1024], task.train.x[0, 1024:2048]
    assert torch.allclose(255 * red[:3], torch.tensor([0.0, 3, 6])) and torch.allclose(
        255 * green[0], torch.tensor(1.0)
    )
    assert models.SmallResNet(image=(3, 32, 32))(task.test.x).shape == (20, 10)


def test_what_is_not_there_or_damaged_is_said_with_what_to_do(torchvision):
    with pytest.raises(FileNotFoundError, match=r'dataset\("cifar10", \'empty\', download=True\) fetches its 170 MB'):
        dataset("cifar10", "empty")
    with pytest.raises(ConnectionError, match="MNIST could not be fetched into 'empty' .Error downloading"):
        dataset("mnist", "empty", download=True)
    with pytest.raises(ValueError, match="FashionMNIST in 'damaged' are damaged .*remove them"):
        dataset("fashion", "damaged")
    with pytest.raises(ValueError, match="'mnist', 'fashion', 'cifar10'"):
        dataset("imagenet")


@pytest.mark.parametrize("broken", [None, "made for another torch"])
def test_without_torchvision_it_says_how_to_get_it(monkeypatch, broken):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "torchvision":
                raise RuntimeError(broken)

    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    if broken:
        monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    else:
        monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ImportError, match="pip install torchvision"):
        dataset("mnist")


def test_every_sequence_can_be_made_of_it(torchvision):
    base = dataset("mnist")
    assert [len(task.train) for task in tasks.split([(7, 2), (0,)], base=base)] == [20, 10]
    order = torch.randperm(784, generator=torch.Generator().manual_seed(3))
    assert torch.equal(tasks.permuted(2, seed=3, base=base)[1].test.x, base.test.x[:, order])
    assert torch.allclose(tasks.rotated([180], base=base)[0].test.x, base.test.x.flip(1), atol=1e-4)
    noisy, clean = tasks.noisy_then_clean(noise=0.5, base=base)
    assert torch.equal(clean.test.x, base.test.x) and 0.3 < (noisy.test.x == base.test.x).float().mean() < 0.7
    assert tasks.permuted(2, base=dataset("cifar10"))[1].test.x.shape == (20, 3072)


def test_a_base_that_no_sequence_can_use_is_refused(torchvision):
    with pytest.raises(ValueError, match="28 x 28 = 784 values; those of 'cifar10' have 3072"):
        tasks.rotated([90], base=dataset("cifar10"))
    with pytest.raises(ValueError, match="base must be a Task"):
        tasks.permuted(2, base="mnist")
    with pytest.raises(ValueError, match="on the CPU"):
        tasks.split(base=dataset("mnist").to("meta"))


def test_what_the_page_on_colab_shows_runs(torchvision):
    """On small files in place of the full ones, and without a GPU, where `torch.autocast("cuda")` does nothing."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "book/guides/colab.md").read_text("utf-8"), re.DOTALL)
    names = {}
    for code in blocks:
        names.pop("learned", None)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*CUDA is not available")
            exec(code, names)
        assert names["learned"].R.shape == (6, 5) and 0 <= metrics.accuracy(names["learned"].R) <= 1
    assert len(blocks) == 2


def idx(path, images, labels):
    """The two files of images and labels in the format of MNIST: a head, then bytes."""
    for kind, values, magic in (("images-idx3", images, 2051), ("labels-idx1", labels, 2049)):
        head = struct.pack(f">{1 + values.ndim}i", magic, *values.shape)
        path.with_name(f"{path.name}-{kind}-ubyte").write_bytes(head + values.astype(np.uint8).tobytes())


@pytest.mark.prove(on=files("lllcourse/tasks/datasets.py", "tests/tasks/real_torchvision.py", "requirements.lock"))
def test_torchvision_reads_small_files_in_the_formats_of_the_data_sets(tmp_path):
    """With the real torchvision, which is not installed here: it is fetched as the package index has it."""
    pip = [sys.executable, "-m", "pip"]
    there = tmp_path / "site"
    install = [*pip, "install", "--quiet", "--no-deps", "--target", str(there), "torchvision==0.28.0"]
    subprocess.run(install, check=True, timeout=300)
    for name in ("MNIST", "FashionMNIST", "damaged/MNIST"):
        raw = tmp_path / "data" / name / "raw"
        raw.mkdir(parents=True)
        for part, n in (("train", 24), ("t10k", 6)):
            images = np.arange(n * 784).reshape(n, 28, 28) % 256
            idx(raw / part, images, np.arange(n) % 2)
    broken = raw / "train-images-idx3-ubyte"
    broken.write_bytes(broken.read_bytes()[:1000])
    command = [sys.executable, "-W", "ignore", "-m", "tests.tasks.real_torchvision", str(tmp_path / "data")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(there), str(ROOT)])}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert result.stdout == "read\n", result.stderr

"""The digits are real, whole, split once and for all; a bad file says what to do."""

import shutil

import numpy as np
import pytest
import torch

from lllcourse.data import DIGITS_FILE, Split, concatenate, digits


def test_the_splits_are_stratified_and_of_the_promised_sizes():
    task = digits()
    for split, n in ((task.train, 3500), (task.validation, 500), (task.test, 1000)):
        assert split.x.shape == (n, 784) and split.x.dtype == torch.float32
        assert split.y.shape == (n,) and split.y.dtype == torch.int64
        assert split.y.bincount().tolist() == [n // 10] * 10
    assert task.classes == tuple(range(10))


def test_the_images_are_digits_in_zero_to_one():
    x = digits().train.x
    assert x.min() == 0 and x.max() == 1
    assert 0.10 < x.mean() < 0.16  # MNIST's mean is 0.1307


def test_no_image_stands_in_two_splits():
    task = digits()
    seen = [{row.tobytes() for row in split.x.numpy()} for split in (task.train, task.validation, task.test)]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


def test_a_nearest_neighbour_recognises_most_test_digits():
    task = digits()
    nearest = torch.cdist(task.test.x, task.train.x).argmin(1)
    assert (task.train.y[nearest] == task.test.y).float().mean() > 0.9


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="reinstall the package"):
        digits(tmp_path / "none.npz")


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "text"])
def test_a_damaged_file_says_what_to_do(tmp_path, damage):
    path = tmp_path / "digits.npz"
    whole = DIGITS_FILE.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 0xFF
    path.write_bytes(
        {
            "empty": b"",
            "cut": whole[:100_000],
            "flipped": bytes(flipped),
            "text": b"not digits",
        }[damage]
    )
    with pytest.raises(ValueError, match="damaged.*reinstall the package"):
        digits(path)


def test_a_file_with_other_images_is_refused(tmp_path):
    path = tmp_path / "digits.npz"
    shutil.copy(DIGITS_FILE, path)
    np.savez(path, x_train=np.zeros((10, 784), np.uint8), y_train=np.zeros(10, np.uint8))
    with pytest.raises(ValueError, match="not the expected ones.*reinstall"):
        digits(path)


def test_a_split_refuses_labels_that_do_not_fit():
    with pytest.raises(ValueError, match=r"y must be \(3,\)"):
        Split(torch.zeros(3, 784), torch.zeros(2, dtype=torch.long))
    with pytest.raises(ValueError, match=r"y must be \(3,\)"):
        Split(torch.zeros(3, 784), torch.zeros(3, 1, dtype=torch.long))


def test_concatenate_keeps_the_order():
    test = digits().test
    both = concatenate([test[:10], test[10:30]])
    assert torch.equal(both.x, test.x[:30]) and torch.equal(both.y, test.y[:30])

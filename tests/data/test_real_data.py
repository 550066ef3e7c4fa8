"""The real data sets, where this machine has them: sizes, labels and pixels that are known from elsewhere."""

from __future__ import annotations

import hashlib

import numpy as np

from npae.data import Dataset
from npae.data.catalogue import CATALOGUE


def test_mnist_has_its_known_size_first_labels_and_mean(mnist: Dataset) -> None:
    assert mnist.train.shape == (60000, 784)
    assert mnist.test is not None
    assert mnist.test.shape == (10000, 784)
    assert mnist.train_labels is not None
    assert mnist.test_labels is not None
    assert mnist.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.test_labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert abs(mnist.train.mean(dtype=np.float64) - 0.1307) < 5e-5  # the mean that everybody standardises MNIST with
    assert abs(mnist.train.std(dtype=np.float64) - 0.3081) < 5e-5
    assert (mnist.train.min(), mnist.train.max()) == (0, 1)
    assert mnist.image_shape == (28, 28)
    assert mnist.train.dtype == np.float32
    assert mnist.train.flags.c_contiguous


def test_fashion_mnist_has_its_known_size_classes_and_mean(fashion_mnist: Dataset) -> None:
    assert fashion_mnist.train.shape == (60000, 784)
    assert fashion_mnist.train_labels is not None
    assert fashion_mnist.label_names is not None
    assert np.bincount(fashion_mnist.train_labels).tolist() == [6000] * 10
    assert fashion_mnist.label_names[fashion_mnist.train_labels[0]] == "ankle boot"
    assert abs(fashion_mnist.train.mean(dtype=np.float64) - 0.2860) < 5e-5
    assert abs(fashion_mnist.train.std(dtype=np.float64) - 0.3530) < 5e-5


def test_binarised_mnist_is_the_published_text_to_the_byte(binarized_mnist: Dataset) -> None:
    assert binarized_mnist.train.shape == (50000, 784)
    assert binarized_mnist.validation is not None
    assert binarized_mnist.test is not None
    for pixels, file in zip((binarized_mnist.validation, binarized_mnist.test), CATALOGUE["binarized-mnist"].files[1:], strict=True):
        text = np.full((10000, 1568), ord(" "), dtype=np.uint8)
        text[:, ::2] = pixels + ord("0")
        text[:, -1] = ord("\n")
        assert hashlib.sha256(text.data).hexdigest() == file.sha256

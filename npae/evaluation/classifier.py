"""A classifier trained here, for its features: a space in which pictures of one class are near each other.

    h_1 = relu(x W_1 + b_1)    h_2 = relu(h_1 W_2 + b_2)    class = softmax(h_2 W_3 + b_3)        x (N, F)   features h_2 (N, 64)

scikit-learn's MLPClassifier (256 and 64 hidden units, Adam), 20 passes over at most 10,000 seeded rows: under a minute on MNIST.
Distances between raw pixels mostly measure where the ink lies; these measure what is drawn, as the Inception features of the
literature do for photographs. Raises InputError for labels that do not fit the rows, or of a single class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.subset import some_rows

HIDDEN = (256, 64)
PASSES = 20
ROWS = 10_000


@dataclass(frozen=True, eq=False)
class Classifier:
    """A fitted network; `features` is its last hidden layer."""

    network: Any

    def features(self, x: Array) -> Array:
        """h_2 (N, 64), float64"""
        h = np.asarray(x, np.float64)
        for weights, bias in zip(self.network.coefs_[:-1], self.network.intercepts_[:-1], strict=True):
            h = np.maximum(h @ weights + bias, 0)
        return h

    def predict(self, x: Array) -> Array:
        """The class of each row."""
        return np.asarray(self.network.predict(np.asarray(x, np.float64)))

    def accuracy(self, x: Array, labels: Array) -> float:
        """The share of the rows that it classifies right."""
        return float((self.predict(x) == labels).mean())


def fit_classifier(x: Array, labels: Array, *, seed: int = 0) -> Classifier:
    """Train on rows x (N, F) and their labels (N,)."""
    from sklearn.neural_network import MLPClassifier

    if len(labels) != len(x):
        raise InputError(f"{len(labels)} labels for {len(x)} rows: expected one label a row")
    classes = np.unique(labels)
    if len(classes) < 2:
        raise InputError(f"all labels are {classes[0]}: a classifier needs at least 2 classes")
    x, labels = some_rows(x, ROWS, seed).astype(np.float64), some_rows(labels, ROWS, seed)
    network = MLPClassifier(HIDDEN, random_state=seed % 2**32)
    for _ in range(PASSES):
        network.partial_fit(x, labels, classes=classes)
    return Classifier(network)

"""Principal component analysis, the baseline of every autoencoder: the best linear code of k numbers.

    mean m, axes W (F, k): the eigenvectors of the covariance with the k largest eigenvalues
    reconstruction of x: m + (x - m) W W^T                    x (N, F)

Source: Pearson 1901; Baldi & Hornik 1989 show that a linear autoencoder cannot do better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npae.backend import Array
from npae.errors import InputError


@dataclass(frozen=True)
class PCA:
    """The mean and the axes fitted to some rows."""

    mean: Array
    axes: Array

    def encode(self, x: Array) -> Array:
        """(x - m) W, (N, k)"""
        return np.asarray((x - self.mean) @ self.axes)

    def reconstruct(self, x: Array) -> Array:
        """m + (x - m) W W^T"""
        return np.asarray(self.mean + self.encode(x) @ self.axes.T)

    def first(self, k: int) -> PCA:
        """The PCA of the first k axes, which is that of k components."""
        return PCA(self.mean, self.axes[:, :k])


def fit_pca(x: Array, k: int) -> PCA:
    """The k principal axes of the rows of x, in float64."""
    if not 1 <= k <= x.shape[1]:
        raise InputError(f"{k} principal components of {x.shape[1]} features: expected 1 to {x.shape[1]}")
    mean = x.mean(axis=0, dtype=np.float64)
    centred = x - mean
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return PCA(mean, vectors[:, ::-1][:, :k].copy())

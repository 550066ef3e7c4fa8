"""How well a map of points separates their labels: the share of each point's k nearest neighbours that have its label.

    purity = mean_i mean_{j in N_k(i)} [y_j = y_i]        points (N, D), labels (N,);  N_k(i): the k nearest other points

Labels that have nothing to do with the places get the sum of the squared shares of the labels (0.1 for ten equal classes): `chance_purity`.
Raises InputError for fewer than k + 1 points, or labels that do not fit them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.kernels.validation import points as checked_points


def knn_purity(points: ArrayLike, labels: ArrayLike, k: int = 10) -> float:
    """The mean share of a point's k nearest neighbours that have its label, from 0 to 1."""
    from sklearn.neighbors import NearestNeighbors

    points, labels = checked_points("points", points), np.asarray(labels)
    if labels.shape != (len(points),):
        raise InputError(f"labels of shape {labels.shape} for {len(points)} points: expected one label a point")
    if not 1 <= k < len(points):
        raise InputError(f"k {k} nearest neighbours among {len(points)} points: expected 1 to {len(points) - 1}")
    neighbours = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)  # without the point itself
    return float((labels[neighbours] == labels[:, None]).mean())


def chance_purity(labels: ArrayLike) -> float:
    """The purity to expect of places that have nothing to do with the labels: the sum of the squared shares."""
    _, counts = np.unique(np.asarray(labels), return_counts=True)
    return float(((counts / counts.sum()) ** 2).sum())

"""Are samples like real data (precision), and is all real data among them (recall)? By k-nearest-neighbour manifolds.

    manifold of a set P: the union of the balls about each point of P that reach to its k-th nearest neighbour in P
    precision = share of samples inside the manifold of the real points        recall = share of real points inside that of the samples

A model that draws one perfect picture again and again has precision 1 and recall near 0. Points are rows in a feature space (N, D),
(M, D); for pictures that of a classifier (classifier.py), where distance means something. Both sets should have the same size: the balls
shrink as a set grows.
Raises InputError for sets that cannot be compared, and for fewer than k + 1 points in one.

Source: Kynkaanniemi et al. 2019, "Improved precision and recall metric for assessing generative models".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from npae import kernels
from npae.backend import Array
from npae.errors import InputError
from npae.kernels.validation import samples

BLOCK = 512  # rows of distances at a time


class PrecisionRecall(NamedTuple):
    """Shares from 0 to 1."""

    precision: float
    recall: float


def precision_recall(real: ArrayLike, drawn: ArrayLike, k: int = 3) -> PrecisionRecall:
    """Precision and recall of `drawn` (M, D) beside `real` (N, D)."""
    real, drawn = samples(("real", "drawn"), real, drawn)
    fewest = min(len(real), len(drawn))
    if not 1 <= k < fewest:
        raise InputError(f"k {k} nearest neighbours among {fewest} points: expected 1 to {fewest - 1}")
    return PrecisionRecall(_share_inside(drawn, real, k), _share_inside(real, drawn, k))


def _share_inside(points: Array, centres: Array, k: int) -> float:
    """The share of `points` that lie in the ball of at least one centre."""
    radii = _squared_radii(centres, k)
    inside = [(kernels.pairwise_squared(part, centres) <= radii).any(axis=1) for part in _blocks(points)]
    return float(np.concatenate(inside).mean())


def _squared_radii(centres: Array, k: int) -> Array:
    """The squared distance of each centre to its k-th nearest other centre; its own 0 is the first of the sorted row."""
    return np.concatenate([np.partition(kernels.pairwise_squared(part, centres), k, axis=1)[:, k] for part in _blocks(centres)])


def _blocks(points: Array) -> list[Array]:
    return [points[start : start + BLOCK] for start in range(0, len(points), BLOCK)]

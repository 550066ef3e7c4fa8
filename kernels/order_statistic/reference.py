"""The r-th smallest of the n m squared distances, by building them all.        z (n, d)   w (m, d)"""

from __future__ import annotations

import numpy as np

from npae.kernels.kernel import Array
from npae.kernels.order_statistic import not_found
from npae.kernels.pairwise.reference import pairwise_squared
from npae.kernels.validation import rank_among


def distance_order_statistic(z: Array, w: Array, rank: int) -> float:
    """The `rank`-th smallest squared distance, counted from 0."""
    d2 = np.empty((len(z), len(w)), z.dtype)
    pairwise_squared(z, w, d2)
    rank = rank_among(rank, d2.size)
    return float(np.partition(d2.ravel(), rank)[rank])


def locate_distance(z: Array, w: Array, value: float) -> tuple[int, int]:
    """The first (i, j), row by row, whose squared distance is `value`."""
    d2 = np.empty((len(z), len(w)), z.dtype)
    pairwise_squared(z, w, d2)
    found = np.flatnonzero(d2.ravel() == value)
    if not len(found):
        raise not_found(value)
    i, j = divmod(int(found[0]), len(w))
    return i, j

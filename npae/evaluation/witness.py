"""Where two samples differ: the rows of each that look least like the other.

    w(t) = mean_i k(x_i, t) - mean_j k(y_j, t)        k = exp(-d2 / (2 sigma2))        x (n, d)   y (m, d)
    MMD2 = mean_i w(x_i) - mean_j w(y_j),  if a point is left out of the mean over its own sample

w is high where x is denser and low where y is: the rows of x with the highest w, and those of y with the lowest, show the difference.
O((n + m)^2 d) work; kernel values are made in blocks of rows and never stored.

Source: Gretton et al. 2012, "A kernel two-sample test", section 2.3: the witness function.
"""

from __future__ import annotations

import numpy as np

from npae import kernels
from npae.backend import Array

BLOCK = 256  # rows of kernel values at a time


def witness(x: Array, y: Array, sigma2: float) -> tuple[Array, Array]:
    """w at every row of x (n,) and of y (m,), each row left out of the mean over its own sample."""
    own_x, own_y = (_sums(a, a, sigma2) - 1.0 for a in (x, y))
    return own_x / (len(x) - 1) - _sums(x, y, sigma2) / len(y), _sums(y, x, sigma2) / len(x) - own_y / (len(y) - 1)


def most_unlike(x: Array, y: Array, sigma2: float, count: int) -> tuple[Array, Array]:
    """The numbers of `count` rows of x with the highest w, highest first, and of y with the lowest, lowest first."""
    of_x, of_y = witness(x, y, sigma2)
    return np.argsort(-of_x, kind="stable")[:count], np.argsort(of_y, kind="stable")[:count]


def _sums(rows: Array, others: Array, sigma2: float) -> Array:
    """sum_j k(rows_i, others_j), (len(rows),) float64"""
    sums = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK):
        d2 = kernels.pairwise_squared(rows[start : start + BLOCK], others)
        sums[start : start + BLOCK] = np.exp(d2 / (-2.0 * sigma2)).sum(axis=1, dtype=np.float64)
    return sums

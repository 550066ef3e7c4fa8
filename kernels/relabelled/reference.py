"""a^T K a and a^T K 1 of every row a of labels, from the whole kernel matrix, as the formulas read.

k_ij = exp(-|x_i - x_j|^2 / (2 sigma2)), k_ii = 0        x (n, d)   labels (c, n)   sums (2, c)
"""

from __future__ import annotations

import numpy as np

from npae.kernels.kernel import Array
from npae.kernels.pairwise.reference import pairwise_squared


def relabelled_sums(x: Array, sigma2: float, labels: Array, sums: Array) -> float:
    """See the package; returns 1^T K 1."""
    k = np.empty((len(x), len(x)), x.dtype)
    pairwise_squared(x, x, k)
    k = np.exp(k.astype(np.float64) / (-2.0 * sigma2))
    np.fill_diagonal(k, 0.0)
    a = labels.astype(np.float64)
    sums[0] = np.einsum("ci,ci->c", a @ k, a)
    sums[1] = a @ k.sum(axis=1)
    return float(k.sum())

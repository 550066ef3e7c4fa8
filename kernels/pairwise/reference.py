"""out_ij = sum_k (x_ik - y_jk)^2        x (n, d)   y (m, d)   out (n, m)        one feature at a time, in order."""

from __future__ import annotations

import numpy as np

from npae.kernels.kernel import Array


def pairwise_squared(x: Array, y: Array, out: Array) -> None:
    """Squared distances; see the package."""
    out[...] = 0.0
    for k in range(x.shape[1]):
        out += np.square(x[:, k, None] - y[None, :, k])

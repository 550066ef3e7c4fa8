"""The operations that npae accelerates, for use on their own: distances, their order statistics, maximum mean discrepancy and its test.

    pairwise_squared(x (n, d), y (m, d)) -> (n, m)               squared Euclidean distances
    mmd_rbf(z (n, d), w (m, d), sigma2) -> value, dz (n, d)      unbiased MMD^2 with the kernel exp(-d2 / (2 sigma2)), and its gradient
    mmd_imq(z (n, d), w (m, d)) -> value, dz (n, d)              the same with a sum of inverse multiquadratic kernels C / (C + d2)
    distance_order_statistic(z (n, d), w (m, d), rank)           the rank-th smallest of all n m squared distances, exactly
    relabelled_sums(x (n, d), labels (c, n), sigma2) -> sums (2, c), T          a^T K a and a^T K 1 for each row a of labels, and 1^T K 1

Points are float32 or float64 (whole numbers become float64), in any memory layout; the result has their dtype. `form` is "cpu" (compiled,
O(n) memory) or "reference" (NumPy, the specification). Formulas, accuracy, sources: the packages `pairwise`, `mmd`, `order_statistic`,
`relabelled`. Raises InputError for points, labels, a bandwidth, a rank or a form that cannot be used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.kernels.kernel import Array
from npae.kernels.mmd import IMQ_SCALES
from npae.kernels.registry import resolve
from npae.kernels.validation import labels_of, points, positive, samples

__all__ = ["distance_order_statistic", "mmd_imq", "mmd_rbf", "pairwise_squared", "relabelled_sums"]


def pairwise_squared(x: ArrayLike, y: ArrayLike, *, form: str = "cpu") -> Array:
    """Squared Euclidean distances (n, m) between the rows of x and of y."""
    x, y = samples(("x", "y"), x, y)
    out = np.empty((len(x), len(y)), x.dtype)
    resolve("pairwise_squared", form)(x, y, out)
    return out


def mmd_rbf(z: ArrayLike, w: ArrayLike, sigma2: float, *, form: str = "cpu") -> tuple[float, Array]:
    """Unbiased MMD^2 between two samples with k = exp(-d2 / (2 sigma2)), and its gradient with respect to z."""
    z, w = samples(("z", "w"), z, w, at_least=2)
    dz = np.empty_like(z)
    value, _ = resolve("mmd_rbf", form)(z, w, positive("sigma2", sigma2), dz)
    return value, dz


def mmd_imq(
    z: ArrayLike,
    w: ArrayLike,
    scales: Sequence[float] = IMQ_SCALES,
    prior_variance: float = 1.0,
    *,
    form: str = "cpu",
) -> tuple[float, Array]:
    """Unbiased MMD^2 with k = sum_s C_s / (C_s + d2), C_s = 2 d prior_variance scale_s, and its gradient with respect to z."""
    z, w = samples(("z", "w"), z, w, at_least=2)
    if not len(scales):
        raise InputError("scales is empty; expected at least one finite number above 0")
    width = 2.0 * z.shape[1] * positive("prior_variance", prior_variance)
    constants = np.array([width * positive("scale", scale) for scale in scales])
    dz = np.empty_like(z)
    value: float = resolve("mmd_imq", form)(z, w, constants, dz)
    return value, dz


def distance_order_statistic(z: ArrayLike, w: ArrayLike, rank: int, *, form: str = "cpu") -> float:
    """The rank-th smallest (from 0) of all squared distances between the rows of z and of w, exact in their dtype."""
    z, w = samples(("z", "w"), z, w)
    value: float = resolve("distance_order_statistic", form)(z, w, rank)
    return value


def relabelled_sums(x: ArrayLike, labels: ArrayLike, sigma2: float, *, form: str = "cpu") -> tuple[Array, float]:
    """a^T K a and a^T K 1 (2, c) for each row a of 1 and 0, and 1^T K 1, with k = exp(-d2 / (2 sigma2)) and a diagonal of 0."""
    x = points("x", x)
    labels = labels_of(labels, len(x))
    sums = np.empty((2, len(labels)))
    total: float = resolve("relabelled_sums", form)(x, positive("sigma2", sigma2), labels, sums)
    return sums, total

"""Do two samples come from one distribution? A permutation test with the unbiased MMD^2 of a Gaussian kernel.

    MMD2 = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean k(x_i, y_j)        x (n, d)   y (m, d)
    k    = exp(-d2 / (2 sigma2)),  sigma2: the lower median of the squared distances between distinct points of the pooled sample
    p    = (1 + #{MMD2 of a permutation >= MMD2}) / (1 + N)        N random relabellings of the n + m pooled points

If both samples come from one distribution every relabelling is as likely as the one that was seen, so p <= a happens with probability at
most a, for every n, m and a: the test is exact, and p is never 0. All N relabellings cost one pass over the kernel matrix: with K the
pooled matrix without its diagonal and a (n + m,) a relabelling of 1 (in the first sample) and 0,

    S_xx = a^T K a        S_xp = a^T K 1        S_xy = S_xp - S_xx        S_yy = 1^T K 1 - 2 S_xp + S_xx

K is made in blocks of rows and never stored: O((n + m)(d + N)) memory, O((n + m)^2 (d + N)) work.
Raises InputError for samples that cannot be compared, fewer than 2 points in one, and a pooled sample whose points are mostly equal.

Sources: Gretton et al. 2012, "A kernel two-sample test", sections 2 and 8; Phipson & Smyth 2010, "Permutation p-values should never be
zero".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from npae import kernels
from npae.backend import Array
from npae.errors import InputError
from npae.kernels.validation import samples
from npae.noise import check_seed

BLOCK = 256  # rows of the kernel matrix at a time
ROUNDING = 1e-12  # two sums of kernel values, which lie in [0, 1], that differ by less are equal


@dataclass(frozen=True)
class TwoSampleTest:
    """MMD^2 of the two samples, the probability of one as large under a random relabelling, how many of those, and sigma2."""

    mmd2: float
    p_value: float
    permutations: int
    bandwidth: float


def two_sample_test(x: ArrayLike, y: ArrayLike, *, permutations: int = 1000, seed: int = 0) -> TwoSampleTest:
    """Whether x (n, d) and y (m, d) come from one distribution; a small p_value says that they do not."""
    if permutations < 1:
        raise InputError(f"permutations {permutations}: at least 1 is needed, 1000 for p-values down to 0.001")
    x, y = samples(("x", "y"), x, y, at_least=2)
    pooled = np.concatenate([x, y]).astype(np.float64)
    sigma2 = median_distance(pooled)
    labels = _relabellings(len(x), len(y), permutations, seed)
    values = _mmd2(pooled, labels, sigma2)
    as_large = int((values[1:] >= values[0] - ROUNDING).sum())
    return TwoSampleTest(float(values[0]), (1 + as_large) / (1 + permutations), permutations, sigma2)


def median_distance(points: Array) -> float:
    """The lower median of the squared distances between distinct points (n, d)."""
    n = len(points)
    pairs = n * (n - 1) // 2  # the matrix of distances holds n zeros on its diagonal, then every pair twice
    sigma2 = kernels.distance_order_statistic(points, points, n + 2 * ((pairs - 1) // 2))
    if sigma2 == 0:
        raise InputError(
            f"more than half of the distances between the {n} pooled points are 0: there is no bandwidth; drop repeated points"
        )
    return sigma2


def _relabellings(n: int, m: int, count: int, seed: int) -> Array:
    """(n + m, 1 + count) of 0 and 1: the labels as they are, then `count` random orders of them."""
    labels = np.zeros((n + m, 1 + count))
    labels[:n] = 1
    np.random.Generator(np.random.Philox(check_seed(seed))).permuted(labels[:, 1:], axis=0, out=labels[:, 1:])
    return labels


def _mmd2(points: Array, labels: Array, sigma2: float) -> Array:
    """MMD^2 of every column of `labels`."""
    within, marginal, total = _sums(points, labels, sigma2)
    n = float(labels[:, 0].sum())
    m = len(points) - n
    between, others = marginal - within, total - 2 * marginal + within
    return np.asarray(within / (n * (n - 1)) + others / (m * (m - 1)) - 2 * between / (n * m))


def _sums(points: Array, labels: Array, sigma2: float) -> tuple[Array, Array, float]:
    """a^T K a and a^T K 1 of every column a, and 1^T K 1; the diagonal of K counts as 0."""
    within, marginal, total = np.zeros(labels.shape[1]), np.zeros(labels.shape[1]), 0.0
    for start in range(0, len(points), BLOCK):
        rows = slice(start, min(start + BLOCK, len(points)))
        k = np.exp(kernels.pairwise_squared(points[rows], points) / (-2.0 * sigma2))
        np.einsum("ii->i", k[:, rows])[...] = 0
        sums = k.sum(axis=1)
        within += np.einsum("ij,ij->j", labels[rows], k @ labels)
        marginal += sums @ labels[rows]
        total += float(sums.sum())
    return within, marginal, total

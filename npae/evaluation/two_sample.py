"""Do two samples come from one distribution? A permutation test with the unbiased MMD^2 of a Gaussian kernel.

    MMD2 = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean k(x_i, y_j)        x (n, d)   y (m, d)
    k    = exp(-d2 / (2 sigma2)),  sigma2: the lower median of the squared distances between distinct points of the pooled sample
    p    = (1 + #{MMD2 of a permutation >= MMD2}) / (1 + N)        N random relabellings of the n + m pooled points

If both samples come from one distribution every relabelling is as likely as the one that was seen, so p <= a happens with probability at
most a, for every n, m and a: the test is exact, and p is never 0. The bandwidth keeps this so: the median does not ask whose a point is,
and one that is given must not have been chosen by looking at these samples. `npae test --calibrate` measures level and power.

All N relabellings cost one pass over the kernel matrix. With K the pooled matrix without its diagonal and a (n + m,) a relabelling, 1 in
one group and 0 in the other, npae.kernels.relabelled_sums gives q = a^T K a, t = a^T K 1 and T = 1^T K 1, and

    S_11 = q        S_12 = t - q        S_22 = T - 2 t + q

are the three sums of k. The smaller group is the one that is marked, so that none of them is what is left of two large numbers.
O((n + m)(d + N)) memory, O((n + m)^2 (d + N)) work, in the dtype of the samples.
Raises InputError for samples that cannot be compared, fewer than 2 points in one, a bandwidth that is not above 0, and without one, a
pooled sample whose points are mostly equal.

Sources: Gretton et al. 2012, "A kernel two-sample test", sections 2 and 8; Phipson & Smyth 2010, "Permutation p-values should never be
zero".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from npae import kernels
from npae.backend import Array
from npae.errors import InputError
from npae.kernels.validation import positive, samples
from npae.noise import check_seed

ROUNDING = {"float32": 5e-7, "float64": 1e-12}  # two MMD^2, sums of means in [0, 1], that differ by less are equal


@dataclass(frozen=True)
class TwoSampleTest:
    """MMD^2 of the two samples, the probability of one as large under a random relabelling, how many of those, and sigma2.

    `null` (permutations,) is MMD^2 under each of them: what chance alone gives.
    """

    mmd2: float
    p_value: float
    permutations: int
    bandwidth: float
    null: Array = field(compare=False, repr=False)


def two_sample_test(
    x: ArrayLike, y: ArrayLike, *, permutations: int = 1000, seed: int = 0, bandwidth: float | None = None
) -> TwoSampleTest:
    """Whether x (n, d) and y (m, d) come from one distribution; a small p_value says that they do not. `bandwidth` is sigma2."""
    if isinstance(permutations, bool) or not isinstance(permutations, int | np.integer) or permutations < 1:
        raise InputError(f"permutations {permutations!r}: a whole number of at least 1 is needed, 1000 for p-values down to 0.001")
    x, y = samples(("x", "y"), x, y, at_least=2)
    pooled = np.concatenate([x, y])
    sigma2 = median_distance(pooled) if bandwidth is None else positive("bandwidth", bandwidth)
    sums, total = kernels.relabelled_sums(pooled, relabellings(len(x), len(y), permutations, seed), sigma2)
    values = _mmd2(sums, total, *sorted((len(x), len(y))))
    as_large = int((values[1:] >= values[0] - ROUNDING[str(pooled.dtype)]).sum())
    return TwoSampleTest(float(values[0]), (1 + as_large) / (1 + permutations), int(permutations), sigma2, values[1:])


def median_distance(points: Array) -> float:
    """The lower median of the squared distances between distinct points (n, d)."""
    n = len(points)
    pairs = n * (n - 1) // 2  # the matrix of distances holds n zeros on its diagonal, then every pair twice
    sigma2 = kernels.distance_order_statistic(points, points, n + 2 * ((pairs - 1) // 2))
    if sigma2 == 0:
        raise InputError(
            f"more than half of the distances between the {n} pooled points are 0: their median is no bandwidth; "
            "drop repeated points, or give a bandwidth"
        )
    return sigma2


def relabellings(n: int, m: int, count: int, seed: int) -> Array:
    """(1 + count, n + m) of 1, in the smaller group, and 0: the labels as they are, then `count` random orders of them."""
    labels = np.zeros((1 + count, n + m), np.int8)
    labels[:, slice(n) if n <= m else slice(n, None)] = 1
    np.random.Generator(np.random.Philox(check_seed(seed))).permuted(labels[1:], axis=1, out=labels[1:])
    return labels


def _mmd2(sums: Array, total: float, n: int, m: int) -> Array:
    """MMD^2 of every relabelling from its q and t; n points are marked, m are not."""
    q, t = sums
    return np.asarray(q / (n * (n - 1)) + (total - 2 * t + q) / (m * (m - 1)) - 2 * (t - q) / (n * m))

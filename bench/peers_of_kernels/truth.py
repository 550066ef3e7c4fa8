"""What every contender must agree with, in float64 and O(n) memory by blocks of rows, with nothing of the compiled kernels in it.

The kernel sums take their distances from a matrix product of centred points in float64. The order statistic is not computed but certified:
q is the r-th smallest (from 0) of the distances that npae.kernels.pairwise defines if and only if

    #(d2 < q) <= r < #(d2 <= q)        counted over the reference's distances in the problem's own dtype

which a selection that is wrong in the last bit does not survive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from bench.errors import Disagreement
from bench.peers_of_kernels.problem import Problem
from npae.kernels.kernel import Array
from npae.kernels.pairwise.reference import pairwise_squared

BLOCK = 1 << 21  # pairs at a time
ROWS = 256  # of all distances, the rows that are looked at


class Truth(NamedTuple):
    """The value, and the gradient with respect to z."""

    value: float
    dz: Array


def _blocks(n: int, m: int) -> Iterator[slice]:
    rows = max(1, BLOCK // m)
    return (slice(i, min(i + rows, n)) for i in range(0, n, rows))


def certify(problem: Problem, distances: tuple[float, float]) -> None:
    """Disagreement unless q_zw and q_zz are exact to the last bit."""
    for name, other, rank, q in zip(("zw", "zz"), (problem.w, problem.z), problem.ranks, distances, strict=True):
        below = up_to = 0
        for part in _blocks(len(problem.z), len(other)):
            d2 = np.empty((part.stop - part.start, len(other)), problem.z.dtype)
            pairwise_squared(problem.z[part], other, d2)
            below, up_to = below + int(np.count_nonzero(d2 < q)), up_to + int(np.count_nonzero(d2 <= q))
        if not below <= rank < up_to:
            raise Disagreement(f"npae's q_{name} {q!r} has rank {below} to {up_to - 1} of all distances, not {rank}")


def pairwise_truth(problem: Problem) -> Array:
    """The first ROWS rows of all distances, in float64."""
    z, w = problem.z[:ROWS].astype(np.float64), problem.w.astype(np.float64)
    d2 = np.empty((len(z), len(w)))
    pairwise_squared(z, w, d2)
    return d2


def _sums(x: Array, y: Array, kernel: Callable[[Array], tuple[Any, Any]], same: bool, gradient: bool) -> tuple[float, Array]:
    """The sum of k over i != j (or all pairs), and the bracket (sum_j g_ij) x_i - sum_j g_ij y_j."""
    total, bracket = 0.0, np.zeros_like(x)
    lengths = (y * y).sum(axis=1)
    for part in _blocks(len(x), len(y)):
        d2 = np.maximum((x[part] * x[part]).sum(axis=1)[:, None] + lengths - 2 * (x[part] @ y.T), 0)
        k, g = kernel(d2)
        if same:
            k[np.arange(len(k)), np.arange(part.start, part.stop)] = 0  # g of a point with itself cancels in the bracket
        total += float(k.sum())
        if gradient:
            bracket[part] = g.sum(axis=1, keepdims=True) * x[part] - g @ y
    return total, bracket


def truth(problem: Problem, distances: tuple[float, ...]) -> Truth:
    """For the bandwidth sum(distances), the given one, or the inverse multiquadratic kernels."""
    scales, sigma2 = problem.scales.tolist(), sum(distances) if distances else problem.sigma2

    def rbf(d2: Array) -> tuple[Array, Array]:
        k = np.exp(d2 / (-2 * sigma2))
        return k, k / (2 * sigma2)

    def imq(d2: Array) -> tuple[Array, Array]:
        k, g = np.zeros_like(d2), np.zeros_like(d2)
        for c in scales:
            k += c / (c + d2)
            g += c / np.square(c + d2)
        return k, g

    kernel = imq if problem.comparison == "mmd-imq" else rbf
    z, w = problem.z.astype(np.float64), problem.w.astype(np.float64)
    centre = w.mean(axis=0)
    z, w, n, m = z - centre, w - centre, len(z), len(w)
    zz, near = _sums(z, z, kernel, True, True)
    zw, far = _sums(z, w, kernel, False, True)
    ww, _ = _sums(w, w, kernel, True, False)
    return Truth(zz / (n * (n - 1)) + ww / (m * (m - 1)) - 2 * zw / (n * m), 4 / (n * m) * far - 4 / (n * (n - 1)) * near)

"""MMD^2 with the RBF kernel between the codes of a batch and as many draws of the prior, row by row.        z w (n, d)   turned (d, n)

    distances      d2_ij = ||z_i - z_j||^2 and ||z_i - w_j||^2, rounded as npae.kernels.pairwise defines them
    order_statistic    the rank-th smallest of n^2 of them, by bisection on the bit pattern: it only counts, which vectorises
    by_discrepancy     row i's share of  MMD^2_u,  and  dz_i += weight dMMD^2_u/dz_i     (npae.kernels.mmd), for k = exp(-d2 / (2 sigma2))

A batch's n^2 distances are stored: they fit into the second-level cache as long as n is some hundreds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.elementary import exp
from npae.kernels.jit import FAST, STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.step.memory import array_at, size_of


@jit(STRICT)
def turn_rows(kind: Any, x: int, turned: int, n: int, d: int, r0: int, r1: int) -> None:
    """turned (d, n) = x (n, d) turned, for some of its rows."""
    size = size_of(kind)
    for r in range(r0, r1):
        row = array_at(kind, x + size * r * d, d)
        for k in range(d):
            array_at(kind, turned + size * (k * n + r), 1)[0] = row[k]


@jit(STRICT)
def distances(kind: Any, x: int, turned: int, out: int, n: int, d: int, r0: int, r1: int) -> None:
    """out_ij = ||x_i - y_j||^2, y (n, d) turned; for some rows i."""
    size = size_of(kind)
    for r in range(r0, r1):
        x_r, out_r, first = array_at(kind, x + size * r * d, d), array_at(kind, out + size * r * n, n), array_at(kind, turned, n)
        for j in range(n):
            difference = x_r[0] - first[j]
            out_r[j] = difference * difference
        for k in range(1, d):
            column = array_at(kind, turned + size * k * n, n)
            for j in range(n):
                difference = x_r[k] - column[j]
                out_r[j] += difference * difference


@jit(STRICT)
def order_statistic(bits: Array, rank: int) -> int:
    """The bit pattern of the rank-th smallest: distances are ordered as their bits are, a NaN last."""
    kind = bits.dtype.type
    low, high = 0, int(np.iinfo(bits.dtype).max)
    while low < high:
        middle = low + (high - low) // 2
        bound, below = kind(middle), kind(0)
        for j in range(len(bits)):
            below = kind(below + kind(bits[j] <= bound))
        if below > rank:
            high = middle
        else:
            low = middle + 1
    return low


@jit(FAST)
def _kernel_row(d2: Array, rate: float, g: Array) -> float:
    """g = exp(-rate d2); returns its sum."""
    number = d2.dtype.type
    factor, total = number(rate), number(0)
    for j in range(len(d2)):
        g[j] = exp(-factor * d2[j])
        total += g[j]
    return np.float64(total)


@jit(FAST)
def _pull(kind: Any, x: Array, turned: int, g: Array, factor: float, dz: Array) -> None:
    """dz_k += factor sum_j g_j (x_k - y_jk)"""
    size, n = size_of(kind), len(g)
    for k in range(len(x)):
        column, x_k, total = array_at(kind, turned + size * k * n, n), x[k], g.dtype.type(0)
        for j in range(n):
            total += g[j] * (x_k - column[j])
        dz[k] += g.dtype.type(factor) * total


@jit(FAST)
def by_discrepancy(
    kind: Any,
    weight: float,
    sigma2: float,
    z: int,
    w: int,
    z_turned: int,
    w_turned: int,
    zz: int,
    zw: int,
    g: int,
    dz: int,
    n: int,
    d: int,
    totals: int,
    r0: int,
    r1: int,
) -> None:
    """Each row's share of MMD^2, and its gradient; zz and zw are the distances, g a row of scratch for each row."""
    size, sums, rate = size_of(kind), array_at(0.0, totals, r1), 0.5 / sigma2
    pairs, every = float(n * (n - 1)), float(n * n)
    for r in range(r0, r1):
        z_r, dz_r = array_at(kind, z + size * r * d, d), array_at(kind, dz + size * r * d, d)
        zz_r, zw_r, g_r = array_at(kind, zz + size * r * n, n), array_at(kind, zw + size * r * n, n), array_at(kind, g + size * r * n, n)
        share = (_kernel_row(zz_r, rate, g_r) - 1.0) / pairs
        _pull(kind, z_r, z_turned, g_r, -4.0 * rate * weight / pairs, dz_r)
        share -= 2.0 * _kernel_row(zw_r, rate, g_r) / every
        _pull(kind, z_r, w_turned, g_r, 4.0 * rate * weight / every, dz_r)
        distances(kind, w, w_turned, zz, n, d, r, r + 1)  # zz_r has been read for the last time
        share += (_kernel_row(zz_r, rate, g_r) - 1.0) / pairs
        sums[r] = share

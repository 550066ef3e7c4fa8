"""NumPy with n x m arrays: distances by a matrix product, |x|^2 + |y|^2 - 2 x.y, as everybody writes it who wants them fast.

`mmd_partition` is the best form known: every array is overwritten in place. `mmd_sort` is the founding document's, which sorts all n^2
distances to read one of them. What comes after the distances (`rbf`, `imq`) is shared with the forms that take those from a library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from bench.peers_of_kernels.problem import Problem
from npae.kernels.kernel import Array

Result: TypeAlias = tuple[float, tuple[float, ...], Array]


def squared(x: Array, y: Array) -> Array:
    """(n, m) squared distances."""
    d2 = x @ y.T
    d2 *= -2
    d2 += (x * x).sum(axis=1)[:, None]
    d2 += (y * y).sum(axis=1)
    return d2


def partitioned(d2: Array, rank: int) -> float:
    """The order statistic, without a full sort."""
    return float(np.partition(d2.ravel(), rank)[rank])


def mean_difference(zz: Array, ww: Array, zw: Array) -> float:
    """MMD^2_u of three kernel matrices."""
    n, m = zw.shape
    off_diagonal = (float(zz.sum() - np.trace(zz)) / (n * (n - 1)), float(ww.sum() - np.trace(ww)) / (m * (m - 1)))
    value: float = sum(off_diagonal) - 2 * float(zw.mean())
    return value


def gradient(z: Array, w: Array, of_zz: Array, of_zw: Array) -> Array:
    """From g = -dk/d(d2) of the pairs zz and zw."""
    n, m = of_zw.shape
    between = of_zw.sum(axis=1, keepdims=True) * z - of_zw @ w
    within = of_zz.sum(axis=1, keepdims=True) * z - of_zz @ z
    dz: Array = 4 / (n * m) * between - 4 / (n * (n - 1)) * within
    return dz


def rbf(z: Array, w: Array, distances: tuple[Array, Array, Array], picked: tuple[float, ...], sigma2: float) -> Result:
    """From the squared distances zz, ww, zw, which it overwrites; `picked` are those that sigma2 is made of."""
    rate = 0.5 / sigma2
    for d2 in distances:
        d2 *= -rate
        np.exp(d2, out=d2)
    zz, ww, zw = distances
    return mean_difference(zz, ww, zw), picked, rate * gradient(z, w, zz, zw)


def imq(z: Array, w: Array, distances: tuple[Array, Array, Array], scales: Array) -> Result:
    """From the squared distances zz, ww, zw, with one array for k, one for g and one to work in."""

    def kernel(d2: Array) -> tuple[Array, Array]:
        k, g, r = np.zeros_like(d2), np.zeros_like(d2), np.empty_like(d2)
        for c in scales.tolist():
            np.add(d2, c, out=r)
            np.divide(c, r, out=r)
            k += r
            r *= r
            r /= c
            g += r
        return k, g

    (zz, of_zz), (ww, _), (zw, of_zw) = map(kernel, distances)
    return mean_difference(zz, ww, zw), (), gradient(z, w, of_zz, of_zw)


def mmd_partition(problem: Problem) -> Callable[[], Result]:
    """In place, with np.partition."""
    _, z, w = problem

    def call() -> Result:
        zz, ww, zw = squared(z, z), squared(w, w), squared(z, w)
        of_zw, of_zz = problem.ranks
        picked = partitioned(zw, of_zw), partitioned(zz, of_zz)
        return rbf(z, w, (zz, ww, zw), picked, sum(picked))

    return call


def mmd_given(problem: Problem) -> Callable[[], Result]:
    """In place."""
    _, z, w = problem
    return lambda: rbf(z, w, (squared(z, z), squared(w, w), squared(z, w)), (), problem.sigma2)


def mmd_sort(problem: Problem) -> Callable[[], Result]:
    """As the founding document writes it: an array for every expression, and a full sort."""
    _, z, w = problem

    def distances(x: Array, y: Array) -> Array:
        d2: Array = (x**2).sum(axis=1, keepdims=True) + (y**2).sum(axis=1) - 2 * (x @ y.T)
        return d2

    def call() -> Result:
        zz, ww, zw = distances(z, z), distances(w, w), distances(z, w)
        of_zw, of_zz = problem.ranks
        picked = float(np.sort(zw.ravel())[of_zw]), float(np.sort(zz.ravel())[of_zz])
        sigma2 = sum(picked)
        k_zz, k_ww, k_zw = np.exp(-zz / 2 / sigma2), np.exp(-ww / 2 / sigma2), np.exp(-zw / 2 / sigma2)
        return mean_difference(k_zz, k_ww, k_zw), picked, gradient(z, w, k_zz, k_zw) / (2 * sigma2)

    return call


def mmd_imq(problem: Problem) -> Callable[[], Result]:
    """With distances by matrix products."""
    _, z, w = problem
    return lambda: imq(z, w, (squared(z, z), squared(w, w), squared(z, w)), problem.scales)


def pairwise(problem: Problem) -> Callable[[], Array]:
    """One product, the rest in place."""
    return lambda: squared(problem.z, problem.w)

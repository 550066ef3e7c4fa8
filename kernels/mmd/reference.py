"""MMD^2_u and its gradient from the three kernel matrices, as the formulas read.

value = mean_{i != j} k(z_i, z_j) + mean_{i != j} k(w_i, w_j) - 2 mean_{i, j} k(z_i, w_j)        z (n, d)   w (m, d)
dz    = 4/(n m) (c o z - C w) - 4/(n (n-1)) (a o z - A z)        A = g_zz (n, n)   C = g_zw (n, m)   a = A 1   c = C 1   g = -dk/d(d2)
"""

from __future__ import annotations

import numpy as np

from npae.kernels.kernel import Array
from npae.kernels.pairwise.reference import pairwise_squared


def _distances(x: Array, y: Array) -> Array:
    d2 = np.empty((len(x), len(y)), x.dtype)
    pairwise_squared(x, y, d2)
    return d2


def _off_diagonal_mean(k: Array) -> float:
    """mean_{i != j} k_ij, summed in float64."""
    n = len(k)
    return float(k.sum(dtype=np.float64) - np.trace(k, dtype=np.float64)) / (n * (n - 1))


def _unbiased(k_zz: Array, k_ww: Array, k_zw: Array) -> float:
    return _off_diagonal_mean(k_zz) + _off_diagonal_mean(k_ww) - 2.0 * float(k_zw.mean(dtype=np.float64))


def _gradient(z: Array, w: Array, g_zz: Array, g_zw: Array, dz: Array) -> None:
    """dz from g = -dk/d(d2). Centred first: the two products of each bracket cancel, and an offset of the points would eat their digits."""
    n, m = len(z), len(w)
    centre = z.mean(axis=0)
    z, w = z - centre, w - centre
    a, c = g_zz.sum(axis=1, keepdims=True), g_zw.sum(axis=1, keepdims=True)
    dz[...] = 4.0 / (n * m) * (c * z - g_zw @ w) - 4.0 / (n * (n - 1)) * (a * z - g_zz @ z)


def mmd_rbf(z: Array, w: Array, sigma2: float, dz: Array) -> tuple[float, float]:
    """The Gaussian kernel k = exp(-d2 / (2 sigma2)); returns the value and its derivative with respect to sigma2."""
    d_zz, d_ww, d_zw = _distances(z, z), _distances(w, w), _distances(z, w)
    k_zz, k_ww, k_zw = (np.exp(d / (-2.0 * sigma2)) for d in (d_zz, d_ww, d_zw))
    _gradient(z, w, k_zz / (2.0 * sigma2), k_zw / (2.0 * sigma2), dz)
    slope = _unbiased(k_zz * d_zz, k_ww * d_ww, k_zw * d_zw) / (2.0 * sigma2 * sigma2)
    return _unbiased(k_zz, k_ww, k_zw), slope


def _inverse_multiquadratic(d2: Array, scales: Array) -> tuple[Array, Array]:
    """k = sum_s C_s / (C_s + d2)        g = -dk/d(d2) = sum_s C_s / (C_s + d2)^2"""
    k, g = np.zeros_like(d2), np.zeros_like(d2)
    for c in scales.tolist():
        k += c / (c + d2)
        g += c / np.square(c + d2)
    return k, g


def mmd_imq(z: Array, w: Array, scales: Array, dz: Array) -> float:
    """The sum of inverse multiquadratic kernels k = sum_s C_s / (C_s + d2); returns the value."""
    d_zz, d_ww, d_zw = _distances(z, z), _distances(w, w), _distances(z, w)
    (k_zz, g_zz), (k_ww, _), (k_zw, g_zw) = (_inverse_multiquadratic(d, scales) for d in (d_zz, d_ww, d_zw))
    _gradient(z, w, g_zz, g_zw, dz)
    return _unbiased(k_zz, k_ww, k_zw)

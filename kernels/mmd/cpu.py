"""MMD^2_u and its gradient in one pass over the pairs, compiled; no kernel matrix is ever stored.        z (n, d)   w (m, d)   dz (n, d)

    value = mean_{i != j} k(z_i, z_j) + mean_{i != j} k(w_i, w_j) - 2 mean_{i, j} k(z_i, w_j)
    dz_i  = 4/(n m) sum_j g(z_i, w_j) (z_i - w_j) - 4/(n (n-1)) sum_j g(z_i, z_j) (z_i - z_j)        g = -dk/d(d2)

One point meets a tile of others: their distances, k and g are rows that stay in the first-level cache. The gradient is summed from
differences, so an offset of the points costs no digits. Sums over a tile are in the dtype, sums of those in float64.
Scratch: both samples in tiles, and two rows of TILE numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from npae.kernels.elementary import exp
from npae.kernels.jit import FAST, compiled_form_of, jit
from npae.kernels.kernel import Array
from npae.kernels.tiles import TILE, distances_to_tile, in_tile, pack


def radial(shape: Any, d2: Array, g: Array) -> Any:
    """For a row of distances: g, and the sums of k and of k d2. The type of `shape` says which kernel: a number is sigma2, an array C."""
    return _inverse_multiquadratic(shape, d2, g) if isinstance(shape, np.ndarray) else _gaussian(shape, d2, g)


def _gaussian(shape: Any, d2: Any, g: Any) -> Any:
    """k = exp(-d2 / (2 sigma2))        g = k / (2 sigma2)"""
    rate = d2.dtype.type(0.5 / shape)
    total, moment = d2.dtype.type(0), d2.dtype.type(0)
    for j in range(len(d2)):
        k = exp(-rate * d2[j])
        g[j] = rate * k
        total += k
        moment += k * d2[j]
    return np.float64(total), np.float64(moment)


def _inverse_multiquadratic(shape: Any, d2: Any, g: Any) -> Any:
    """k = sum_s C_s / (C_s + d2)        g = sum_s C_s / (C_s + d2)^2        the moment, which nobody asks for, is 0"""
    one = d2.dtype.type(1)
    total = d2.dtype.type(0)
    g[:] = d2.dtype.type(0)
    for s in range(len(shape)):
        c = d2.dtype.type(shape[s])
        for j in range(len(d2)):
            r = one / (c + d2[j])
            total += c * r
            g[j] += c * (r * r)
    return np.float64(total), 0.0


@compiled_form_of(radial, FAST)
def _compiled_radial(shape: Any, d2: Any, g: Any) -> Any:
    return _inverse_multiquadratic if isinstance(shape, types.Array) else _gaussian


@jit(FAST)
def _add_differences(x: Array, tile: Array, g: Array, factor: float, out: Array) -> None:
    """out_k += factor sum_j g_j (x_k - tile_kj)"""
    for k in range(len(tile)):
        column, x_k, total = tile[k], x[k], g.dtype.type(0)
        for j in range(len(g)):
            total += g[j] * (x_k - column[j])
        out[k] += factor * total


@jit(FAST)
def _means(x: Array, tiles: Array, m: int, same: bool, shape: Any, factor: float, out: Array) -> tuple[float, float]:
    """The means of k and k d2 over the pairs of x and the m points y in tiles, i != j if x and y are the same points.

    out_i += factor sum_j g(x_i, y_j) (x_i - y_j)
    """
    n, kind = len(x), x.dtype.type
    row, weights = np.empty(TILE, x.dtype), np.empty(TILE, x.dtype)
    far, scale = kind(np.finfo(x.dtype).max), kind(factor)
    total, moment = 0.0, 0.0
    for t in range(len(tiles)):
        count = in_tile(t, m)
        d2, g = row[:count], weights[:count]
        for i in range(n):
            distances_to_tile(x[i], tiles[t], count, d2)
            if same and t * TILE <= i < t * TILE + count:
                d2[i - t * TILE] = far  # a point is not its own pair: k and g vanish
            k, kd2 = radial(shape, d2, g)
            total += k
            moment += kd2
            _add_differences(x[i], tiles[t], g, scale, out[i])
    pairs = n * (m - 1) if same else n * m
    return total / pairs, moment / pairs


@jit(FAST)
def _own_means(w: Array, tiles: Array, shape: Any) -> tuple[float, float]:
    """The means of k and k d2 over the pairs i != j of w: tiles below the diagonal count twice, for their mirror images."""
    m = len(w)
    row, weights = np.empty(TILE, w.dtype), np.empty(TILE, w.dtype)
    far = np.finfo(w.dtype).max
    total, moment = 0.0, 0.0
    for t in range(len(tiles)):
        first, count = t * TILE, in_tile(t, m)
        d2, g = row[:count], weights[:count]
        for i in range(first + count):
            distances_to_tile(w[i], tiles[t], count, d2)
            if i >= first:
                d2[i - first] = far
            k, kd2 = radial(shape, d2, g)
            times = 2.0 if i < first else 1.0
            total += times * k
            moment += times * kd2
    return total / (m * (m - 1)), moment / (m * (m - 1))


@jit(FAST)
def _zero_if_finite(x: Array) -> float:
    """0, or NaN when an element is infinite or NaN: at an infinite distance k is 0, and would hide it."""
    total = 0.0
    for i in range(len(x)):
        for k in range(x.shape[1]):
            total += 0.0 * np.float64(x[i, k])
    return total


@jit(FAST)
def _unbiased(z: Array, w: Array, shape: Any, dz: Array) -> tuple[float, float]:
    """MMD^2_u, and the same three means of k d2; dz is the gradient."""
    n, m = len(z), len(w)
    z_tiles, w_tiles = pack(z), pack(w)
    dz[:] = dz.dtype.type(0)
    k_zz, moment_zz = _means(z, z_tiles, n, True, shape, -4.0 / (n * (n - 1)), dz)
    k_zw, moment_zw = _means(z, w_tiles, m, False, shape, 4.0 / (n * m), dz)
    k_ww, moment_ww = _own_means(w, w_tiles, shape)
    value = k_zz + k_ww - 2.0 * k_zw + _zero_if_finite(z) + _zero_if_finite(w)
    return value, moment_zz + moment_ww - 2.0 * moment_zw


def mmd_rbf(z: Array, w: Array, sigma2: float, dz: Array) -> tuple[float, float]:
    """The Gaussian kernel k = exp(-d2 / (2 sigma2)); returns the value and its derivative with respect to sigma2."""
    value, moment = _unbiased(z, w, sigma2, dz)
    return value, moment / (2.0 * sigma2 * sigma2)


def mmd_imq(z: Array, w: Array, scales: Array, dz: Array) -> float:
    """The sum of inverse multiquadratic kernels k = sum_s C_s / (C_s + d2); returns the value."""
    value: float = _unbiased(z, w, scales, dz)[0]
    return value

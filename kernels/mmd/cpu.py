"""MMD^2_u and its gradient in one pass over the pairs, compiled; no kernel matrix is ever stored.        z (n, d)   w (m, d)   dz (n, d)

    value = mean_{i != j} k(z_i, z_j) + mean_{i != j} k(w_i, w_j) - 2 mean_{i, j} k(z_i, w_j)
    dz_i  = 4/(n m) (c_i z_i - sum_j g(z_i, w_j) w_j) - 4/(n (n-1)) (a_i z_i - sum_j g(z_i, z_j) z_j)
    g = -dk/d(d2),  a_i = sum_j g(z_i, z_j),  c_i = sum_j g(z_i, w_j)

TILE rows meet TILE columns: their distances (fused: see tiles.py), k and g are squares that stay in the first-level cache, and g times the
columns is a small matrix product. Where there is no pair, the distance is `far`, at which k and g vanish. All points are centred first:
the two halves of each bracket nearly cancel, and an offset would eat their digits.
A row of a tile is summed in the dtype, GROUP tiles of products too; everything above that in float64, strip by strip in one order, so the
number of threads changes nothing.
Scratch: both samples twice (as rows and in tiles), n d float64 sums, and a few squares of TILE.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from npae.kernels.blocks import REGISTER, ROWS, add_products_1, add_products_2
from npae.kernels.elementary import exp
from npae.kernels.jit import FAST, compiled_form_of, jit
from npae.kernels.kernel import Array
from npae.kernels.threads import share, threads_for
from npae.kernels.tiles import TILE, fused_distances, in_rows, in_tile, pack, tiles_of

GROUP = 16  # tiles whose products are summed in the dtype: 1024 points


def radial(shape: Any, d2: Array, g: Array) -> Any:
    """For a row of TILE distances: g, and the sums of k, of k d2 and of g. `shape` says which kernel: a number is sigma2, an array C."""
    return _inverse_multiquadratic(shape, d2, g) if isinstance(shape, np.ndarray) else _gaussian(shape, d2, g)


def _gaussian(shape: Any, d2: Any, g: Any) -> Any:
    """k = exp(-d2 / (2 sigma2))        g = k / (2 sigma2)"""
    rate = d2.dtype.type(0.5 / shape)
    total, moment = d2.dtype.type(0), d2.dtype.type(0)
    for j in range(TILE):  # a length that the compiler knows: half the time
        k = exp(-rate * d2[j])
        g[j] = rate * k
        total += k
        moment += k * d2[j]
    return np.float64(total), np.float64(moment), np.float64(rate) * np.float64(total)


def _inverse_multiquadratic(shape: Any, d2: Any, g: Any) -> Any:
    """k = sum_s C_s / (C_s + d2)        g = sum_s C_s / (C_s + d2)^2        the moment, which nobody asks for, is 0"""
    one = d2.dtype.type(1)
    total, slope = d2.dtype.type(0), d2.dtype.type(0)
    g[:] = d2.dtype.type(0)
    for s in range(len(shape)):
        c = d2.dtype.type(shape[s])
        for j in range(TILE):
            r = one / (c + d2[j])
            total += c * r
            g[j] += c * (r * r)
    for j in range(TILE):
        slope += g[j]
    return np.float64(total), 0.0, np.float64(slope)


@compiled_form_of(radial, FAST)
def _compiled_radial(shape: Any, d2: Any, g: Any) -> Any:
    return _inverse_multiquadratic if isinstance(shape, types.Array) else _gaussian


@jit(FAST)
def _add_products(g: Array, columns: Array, first: int, out: Array) -> None:
    """out += g columns[first : first + TILE]        g (TILE, TILE)   out (TILE, a multiple of LANES)"""
    lanes = REGISTER // g.itemsize
    part = columns[first : first + TILE]
    for r in range(0, TILE, ROWS):
        c = 0
        while c + 2 * lanes <= out.shape[1]:
            add_products_2(g, r, part, c, out, r, c, TILE)
            c += 2 * lanes
        if c < out.shape[1]:
            add_products_1(g, r, part, c, out, r, c, TILE)


@jit(FAST)
def _strip(
    x: Array, i: int, height: int, same: bool, tiles: Array, columns: Array, m: int, shape: Any, sums: Array, products: Array
) -> tuple[float, float]:
    """One strip of TILE rows of x against all m points y: the sums of k and of k d2 over its pairs, i != j if x and y are the same points.

    sums_i += sum_j g_ij        products_i += sum_j g_ij y_j        (TILE,) and (TILE, d), float64
    """
    d2, g = np.empty((TILE, TILE), x.dtype), np.zeros((TILE, TILE), x.dtype)
    group = np.zeros((TILE, columns.shape[1]), x.dtype)
    far = x.dtype.type(np.finfo(x.dtype).max)
    total, moment = 0.0, 0.0
    for t in range(len(tiles)):
        width = in_tile(t, m)
        fused_distances(x, i, tiles[t], d2)
        if same and t * TILE == i:
            for r in range(height):
                d2[r, r] = far  # a point is not its own pair: k and g vanish
        d2[:, width:] = far
        for r in range(height):
            k, kd2, slope = radial(shape, d2[r], g[r])
            total += k
            moment += kd2
            sums[r] += slope
        _add_products(g, columns, t * TILE, group)
        if t % GROUP == GROUP - 1 or t == len(tiles) - 1:
            products += group[:, : products.shape[1]]
            group[:] = group.dtype.type(0)
    return total, moment


@jit(FAST)
def _strips_of_z(
    z: Array,
    z_tiles: Array,
    w_tiles: Array,
    z_columns: Array,
    w_columns: Array,
    m: int,
    shape: Any,
    dz: Array,
    found: Array,
    first: int,
    step: int,
) -> None:
    """Every step-th strip of z against z and w: found[b] = sums of k and k d2 over zz and zw, and that strip's dz."""
    n, d = dz.shape
    near, far = 4.0 / (n * (n - 1)), 4.0 / (n * m)
    sums, products = np.empty((2, TILE)), np.empty((2, TILE, d))
    for b in range(first, len(found), step):
        i, height = b * TILE, in_tile(b, n)
        sums[:], products[:] = 0.0, 0.0
        found[b, 0], found[b, 1] = _strip(z, i, height, True, z_tiles, z_columns, n, shape, sums[0], products[0])
        found[b, 2], found[b, 3] = _strip(z, i, height, False, w_tiles, w_columns, m, shape, sums[1], products[1])
        for r in range(height):
            for k in range(d):
                own = np.float64(z[i + r, k])
                slope = far * (sums[1, r] * own - products[1, r, k]) - near * (sums[0, r] * own - products[0, r, k])
                dz[i + r, k] = dz.dtype.type(slope)


@jit(FAST)
def _strips_of_w(w: Array, tiles: Array, m: int, shape: Any, found: Array, first: int, step: int) -> None:
    """Every step-th strip of w against itself: found[b] = sums of k and k d2; tiles before its own count twice, for their mirror images."""
    d2, g = np.empty((TILE, TILE), w.dtype), np.empty((TILE, TILE), w.dtype)
    far = w.dtype.type(np.finfo(w.dtype).max)
    for b in range(first, len(found), step):
        height, total, moment = in_tile(b, m), 0.0, 0.0
        for t in range(b + 1):
            width, times = in_tile(t, m), 1.0 if t == b else 2.0
            fused_distances(w, b * TILE, tiles[t], d2)
            if t == b:
                for r in range(height):
                    d2[r, r] = far
            d2[:, width:] = far
            for r in range(height):
                k, kd2, _ = radial(shape, d2[r], g[r])
                total += times * k
                moment += times * kd2
        found[b, 0], found[b, 1] = total, moment


@jit(FAST)
def _zero_if_finite(x: Array) -> float:
    """0, or NaN when an element is infinite or NaN: at an infinite distance k is 0, and would hide it."""
    total = 0.0
    for i in range(len(x)):
        for k in range(x.shape[1]):
            total += 0.0 * np.float64(x[i, k])
    return total


@jit(FAST)
def _centred(x: Array, centre: Array) -> Array:
    """x minus the centre, as rows of whole tiles and whole registers; what is added is zero."""
    lanes = REGISTER // x.itemsize
    rows = np.zeros((tiles_of(len(x)) * TILE, (x.shape[1] + lanes - 1) // lanes * lanes), x.dtype)
    for i in range(len(x)):
        for k in range(x.shape[1]):
            rows[i, k] = x.dtype.type(x[i, k] - centre[k])
    return rows


@jit(FAST)
def _mean(x: Array) -> Array:
    """The mean of the points, in float64."""
    total = np.zeros(x.shape[1])
    for i in range(len(x)):
        for k in range(x.shape[1]):
            total[k] += x[i, k]
    return total / len(x)


@jit(FAST)
def _arranged(x: Array, centre: Array) -> tuple[Array, Array, Array]:
    """A centred sample as columns for the products, as rows, and in tiles."""
    columns = _centred(x, centre)
    rows = in_rows(columns[: len(x), : x.shape[1]])
    return columns, rows, pack(rows[: len(x)])


def _unbiased(z: Array, w: Array, shape: Any, dz: Array) -> tuple[float, float]:
    """MMD^2_u, and the same three means of k d2; dz is the gradient."""
    n, m, d = len(z), len(w), z.shape[1]
    centre = _mean(z)
    z_columns, z_rows, z_tiles = _arranged(z, centre)
    w_columns, w_rows, w_tiles = _arranged(w, centre)
    of_z, of_w = np.zeros((len(z_tiles), 4)), np.zeros((len(w_tiles), 2))
    count = threads_for((n + m) * (n + m) * d)

    def part(number: int) -> None:
        _strips_of_z(z_rows, z_tiles, w_tiles, z_columns, w_columns, m, shape, dz, of_z, number, count)
        _strips_of_w(w_rows, w_tiles, m, shape, of_w, count - 1 - number, count)

    share(count, part)
    zz, zw, ww = of_z[:, :2].sum(axis=0) / (n * (n - 1)), of_z[:, 2:].sum(axis=0) / (n * m), of_w.sum(axis=0) / (m * (m - 1))
    value, moment = zz + ww - 2.0 * zw
    return float(value) + _zero_if_finite(z) + _zero_if_finite(w), float(moment)


def mmd_rbf(z: Array, w: Array, sigma2: float, dz: Array) -> tuple[float, float]:
    """The Gaussian kernel k = exp(-d2 / (2 sigma2)); returns the value and its derivative with respect to sigma2."""
    value, moment = _unbiased(z, w, float(sigma2), dz)
    return value, moment / (2.0 * sigma2 * sigma2)


def mmd_imq(z: Array, w: Array, scales: Array, dz: Array) -> float:
    """The sum of inverse multiquadratic kernels k = sum_s C_s / (C_s + d2); returns the value."""
    value: float = _unbiased(z, w, scales, dz)[0]
    return value

"""MMD^2_u and its gradient in one pass over the pairs, compiled; no kernel matrix is ever stored.        z (n, d)   w (m, d)   dz (n, d)

    value = mean_{i != j} k(z_i, z_j) + mean_{i != j} k(w_i, w_j) - 2 mean_{i, j} k(z_i, w_j)
    dz_i  = 4/(n m) (c_i z_i - sum_j g(z_i, w_j) w_j) - 4/(n (n-1)) (a_i z_i - sum_j g(z_i, z_j) z_j)
    g = -dk/d(d2),  a_i = sum_j g(z_i, z_j),  c_i = sum_j g(z_i, w_j)

TILE points i meet TILE others j: their distances (fused: see tiles.py) and then g are a square that stays in the first-level cache, one row
for each j. The i lie along the registers, so that a_i and c_i are sums of rows, and sum_j g_ij y_j is a small matrix product, (d, TILE)
times (TILE, TILE). Where a point meets itself, the distance is as large as can be, and k and g vanish. All points are centred first: the
two halves of each bracket nearly cancel, and an offset would eat their digits. For the Gaussian kernel they are scaled too, so that k is a
power of two, k = 2^-d2; g and a gradient with respect to such points are what they would be otherwise, times a factor f.
GROUP tiles are summed in the dtype; everything above that in float64, strip by strip in one order, so the number of threads changes
nothing.
Scratch: both samples, and a square of TILE a part.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types

from npae.kernels.blocks import REGISTER, ROWS, add_products
from npae.kernels.elementary import exp2_minus
from npae.kernels.jit import FAST, compiled_form_of, jit
from npae.kernels.kernel import Array
from npae.kernels.threads import parts_for, share, threads_for
from npae.kernels.tiles import TILE, fused_distances, in_tile, tiles_of

GROUP = 8  # tiles that are summed in the dtype: 512 points
LOG_2 = math.log(2)


def radial(scales: Any, square: Array, count: int, sums: Array) -> None:
    """The first `count` rows of a square: d2 becomes g / f; sums_0i += sum_j g_ji / f, sums_1i += sum_j (see the form).

    `scales` says which kernel: None the Gaussian, an array C of the others.
    """
    form = _gaussian if scales is None else _inverse_multiquadratic
    form(scales, square, count, sums)


def _gaussian(scales: Any, square: Any, count: Any, sums: Any) -> Any:
    """g / f = k = 2^-d2, the points being scaled so; the other sum is that of k d2"""
    largest = square.dtype.type(126)  # where k is 1e-38: nothing, beside the k of any pair that counts
    steepness, moments = sums[0], sums[1]
    for j in range(count):
        for i in range(TILE):  # a length that the compiler knows
            d2 = square[j, i]
            d2 = largest if d2 > largest else d2
            k = exp2_minus(d2)
            square[j, i] = k
            steepness[i] += k
            moments[i] += k * d2


def _inverse_multiquadratic(scales: Any, square: Any, count: Any, sums: Any) -> Any:
    """k = sum_s C_s / (C_s + d2)        g = sum_s C_s / (C_s + d2)^2, f = 1; the other sum is that of k"""
    one = square.dtype.type(1)
    steepness, values = sums[0], sums[1]
    g = np.empty(TILE, square.dtype)
    for j in range(count):
        g[:] = square.dtype.type(0)
        for s in range(len(scales)):
            c = square.dtype.type(scales[s])
            for i in range(TILE):
                r = one / (c + square[j, i])
                values[i] += c * r
                g[i] += c * (r * r)
        for i in range(TILE):
            square[j, i] = g[i]
            steepness[i] += g[i]


@compiled_form_of(radial, FAST)
def _compiled_radial(scales: Any, square: Any, count: Any, sums: Any) -> Any:
    return _inverse_multiquadratic if isinstance(scales, types.Array) else _gaussian


@jit(FAST)
def _multiply_tile(tile: Array, g: Array, count: int, out: Array) -> None:
    """out += tile g        tile (d, TILE)   g (TILE, TILE), of which `count` rows   out (d, TILE), d a multiple of ROWS"""
    width = 2 * REGISTER // g.itemsize
    for k in range(0, len(out), ROWS):
        for c in range(0, TILE, width):
            add_products(tile, k, g, c, out, k, c, count)


@jit(FAST)
def _meet(x: Array, y: Array, count: int, itself: bool, scales: Any, square: Array, sums: Array) -> None:
    """The points i of tile x and the first `count` points j of tile y, x again or another: g / f, and the sums, of `radial`."""
    fused_distances(y, x, count, square)
    if itself:
        for r in range(count):
            square[r, r] = square.dtype.type(np.finfo(square.dtype).max)  # a point is not its own pair
    radial(scales, square, count, sums)


@jit(FAST)
def _strip(own: int, tile: Array, others: Array, d: int, m: int, scales: Any, sums: Array, products: Array) -> None:
    """One tile of z against all m points y in tiles; number `own` of those is the very same tile (-1: none is).

    sums += those of `radial`, (2, TILE)        products_ki += sum_j g_ij / f y_jk, (>= d, TILE)        float64
    """
    square = np.empty((TILE, TILE), tile.dtype)
    some, group = np.zeros((2, TILE), tile.dtype), np.zeros(tile.shape, tile.dtype)
    for t in range(len(others)):
        count = in_tile(t, m)
        _meet(tile[:d], others[t, :d], count, t == own, scales, square, some)
        _multiply_tile(others[t], square, count, group)
        if t % GROUP == GROUP - 1 or t == len(others) - 1:
            sums += some
            products += group
            some[:], group[:] = some.dtype.type(0), group.dtype.type(0)


@jit(FAST)
def _strips_of_z(z: Array, w: Array, m: int, scales: Any, f: float, dz: Array, found: Array, first: int, step: int) -> None:
    """Every step-th tile of z against z and w, both in tiles: found[b] = the sums of `radial` over zz and over zw, and that tile's dz."""
    n, d = dz.shape
    near, far = 4.0 * f / (n * (n - 1)), 4.0 * f / (n * m)
    sums, products = np.empty((2, 2, TILE)), np.empty((2, z.shape[1], TILE))
    for b in range(first, len(found), step):
        tile, height = z[b], in_tile(b, n)
        sums[:], products[:] = 0.0, 0.0
        _strip(b, tile, z, d, n, scales, sums[0], products[0])
        _strip(-1, tile, w, d, m, scales, sums[1], products[1])
        for e in range(2):
            for s in range(2):
                found[b, e, s] = sums[e, s, :height].sum()
        for r in range(height):
            for k in range(d):
                own = np.float64(tile[k, r])
                slope = far * (sums[1, 0, r] * own - products[1, k, r]) - near * (sums[0, 0, r] * own - products[0, k, r])
                dz[b * TILE + r, k] = dz.dtype.type(slope)


@jit(FAST)
def _strips_of_w(w: Array, d: int, m: int, scales: Any, found: Array, first: int, step: int) -> None:
    """Every step-th tile of w against w: found[b] = the sums of `radial`; tiles before its own count twice, for their mirror images."""
    square = np.empty((TILE, TILE), w.dtype)
    some, sums = np.zeros((2, TILE), w.dtype), np.empty((2, TILE))
    for b in range(first, len(found), step):
        sums[:] = 0.0
        for t in range(b + 1):
            _meet(w[b, :d], w[t, :d], in_tile(t, m), t == b, scales, square, some)
            if t % GROUP == GROUP - 1 or t >= b - 1:
                sums += (1.0 if t == b else 2.0) * some
                some[:] = some.dtype.type(0)
        for s in range(2):
            found[b, s] = sums[s, : in_tile(b, m)].sum()


@jit(FAST)
def _zero_if_finite(x: Array) -> float:
    """0, or NaN when an element is infinite or NaN: at an infinite distance k is 0, and would hide it."""
    total = 0.0
    for i in range(len(x)):
        for k in range(x.shape[1]):
            total += 0.0 * np.float64(x[i, k])
    return total


@jit(FAST)
def _mean(x: Array) -> Array:
    """The mean of the points, in float64."""
    total = np.zeros(x.shape[1])
    for i in range(len(x)):
        for k in range(x.shape[1]):
            total[k] += x[i, k]
    return total / len(x)


@jit(FAST)
def _centred(x: Array, centre: Array, scale: float) -> Array:
    """scale (x - centre) in tiles of TILE points, and of features that fill whole blocks of products; what is added is zero."""
    n, d = x.shape
    tiles = np.zeros((tiles_of(n), (d + ROWS - 1) // ROWS * ROWS, TILE), x.dtype)
    for i in range(n):
        for k in range(d):
            tiles[i // TILE, k, i % TILE] = x.dtype.type(scale * (x[i, k] - centre[k]))
    return tiles


def _unbiased(z: Array, w: Array, scales: Any, scale: float, f: float, dz: Array) -> tuple[float, float]:
    """mean_{i != j} over zz + mean_{i != j} over ww - 2 mean over zw of g / f, and of the other sum of `radial`; dz is the gradient."""
    n, m, d = len(z), len(w), z.shape[1]
    centre = _mean(z)
    z_tiles, w_tiles = _centred(z, centre, scale), _centred(w, centre, scale)
    of_z, of_w = np.zeros((len(z_tiles), 2, 2)), np.zeros((len(w_tiles), 2))
    threads = threads_for((n + m) * (n + m) * d)
    parts = parts_for(threads)

    def part(number: int) -> None:
        _strips_of_z(z_tiles, w_tiles, m, scales, f, dz, of_z, number, parts)
        _strips_of_w(w_tiles, d, m, scales, of_w, parts - 1 - number, parts)

    share(threads, part, parts)
    (zz, zw), ww = of_z.sum(axis=0), of_w.sum(axis=0)
    steepness, other = zz / (n * (n - 1)) + ww / (m * (m - 1)) - 2.0 * zw / (n * m)
    not_finite = _zero_if_finite(z) + _zero_if_finite(w)
    return float(steepness) + not_finite, float(other) + not_finite


def mmd_rbf(z: Array, w: Array, sigma2: float, dz: Array) -> tuple[float, float]:
    """k = exp(-d2 / (2 sigma2)) = 2^-(scale^2 d2) = g / f: Gaussian; returns the value and its derivative with respect to sigma2."""
    scale = math.sqrt(0.5 / (LOG_2 * sigma2))
    value, moment = _unbiased(z, w, None, scale, LOG_2 * scale, dz)
    return value, moment * LOG_2 / sigma2


def mmd_imq(z: Array, w: Array, scales: Array, dz: Array) -> float:
    """The sum of inverse multiquadratic kernels k = sum_s C_s / (C_s + d2); returns the value."""
    value: float = _unbiased(z, w, scales, 1.0, 1.0, dz)[1]
    return value

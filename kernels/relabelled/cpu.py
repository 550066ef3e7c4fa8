"""a^T K a, a^T K 1 and 1^T K 1 in one pass over the tiles below the diagonal, compiled.        x (n, d)   labels (c, n)   sums (2, c)

    L: the part of K below its diagonal, K = L + L^T        P = L a        w = L 1
    a^T K a = 2 a^T P        a^T K 1 = 1^T P + a^T w        1^T K 1 = 2 1^T w

A strip of TILE rows meets one tile of columns at a time: their k, a square that stays in the first-level cache, times the labels of those
points is a matrix product that runs in registers, two of them wide. Labels lie as bytes, in such panels, and become numbers of the dtype
just before they are multiplied. P is summed in the dtype over GROUP tiles, everything above in float64, strip by strip in one order, so
the number of threads changes nothing; rows of labels never meet, so it matters neither where one stands nor what stands beside it.
Scratch: the points and the labels once more, 2 c sums a strip, and TILE c products and a few tiles a thread.
"""

from __future__ import annotations

import numpy as np

from npae.kernels.blocks import REGISTER, ROWS, add_products
from npae.kernels.elementary import exp
from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.threads import parts_for, share, threads_for
from npae.kernels.tiles import TILE, distances, in_tile, pack, tiles_of

GROUP = 16  # tiles whose products are summed in the dtype: 1024 points


@jit(FAST)
def _kernel_below(x: Array, i: int, height: int, y: Array, j: int, rate: float, d2: Array, k: Array, w: Array) -> None:
    """k[r, q] = k(x_{i+r}, x_{j+q}) where j + q < i + r and r < height, else 0; and w_r += its sum.        x, y tiles, k (TILE, TILE)"""
    distances(x, y, d2)
    for r in range(TILE):
        reach = max(0, min(TILE, i + r - j)) if r < height else 0
        total = k.dtype.type(0)
        for q in range(reach):
            value = exp(-k.dtype.type(rate) * d2[r, q])
            k[r, q] = value
            total += value
        k[r, reach:] = k.dtype.type(0)
        w[r] += total


@jit(FAST)
def _packed(labels: Array, width: int) -> Array:
    """labels (c, n) as (tiles, panels, TILE, width): panel p of tile t holds TILE points under `width` relabellings; 0 beyond the last."""
    count, n = labels.shape
    packed = np.zeros((tiles_of(n), (count + width - 1) // width, TILE, width), np.int8)
    for t in range(len(packed)):
        for c in range(count):
            for q in range(in_tile(t, n)):
                packed[t, c // width, q, c % width] = labels[c, t * TILE + q]
    return packed


@jit(FAST)
def _multiply(k: Array, labels: Array, panel: Array, products: Array) -> None:
    """products += k labels        k (TILE, TILE)   labels (panels, TILE, width)   products (panels, TILE, width)"""
    numbers = panel.reshape(panel.size)
    for p in range(len(products)):
        packed = labels[p].reshape(panel.size)
        for e in range(panel.size):
            numbers[e] = packed[e]
        for r in range(0, TILE, ROWS):
            add_products(k, r, panel, 0, products[p], r, 0, TILE)


@jit(FAST)
def _collect(labels: Array, products: Array, sums: Array) -> None:
    """sums_0 += a^T P, sums_1 += 1^T P over the rows of a strip, and P = 0.        sums (2, panels, width)"""
    for p in range(len(products)):
        for r in range(TILE):
            for c in range(products.shape[2]):
                value = np.float64(products[p, r, c])
                sums[0, p, c] += value * labels[p, r, c]
                sums[1, p, c] += value
    products[:] = products.dtype.type(0)


@jit(FAST)
def _strips(tiles: Array, n: int, rate: float, labels: Array, sums: Array, totals: Array, first: int, step: int) -> None:
    """Every step-th strip b: sums[b] = a^T P and 1^T P + a^T w of its rows, totals[b] = 1^T w."""
    d2, k, w = np.empty((TILE, TILE), tiles.dtype), np.empty((TILE, TILE), tiles.dtype), np.empty(TILE)
    panel, products = np.empty(labels.shape[2:], tiles.dtype), np.zeros(labels.shape[1:], tiles.dtype)
    for b in range(first, len(tiles), step):
        w[:] = 0.0
        for t in range(b + 1):
            _kernel_below(tiles[b], b * TILE, in_tile(b, n), tiles[t], t * TILE, rate, d2, k, w)
            _multiply(k, labels[t], panel, products)
            if t % GROUP == GROUP - 1 or t == b:
                _collect(labels[b], products, sums[b])
        for p in range(labels.shape[1]):
            for r in range(TILE):
                for c in range(labels.shape[3]):
                    sums[b, 1, p, c] += w[r] * labels[b, p, r, c]
        totals[b] = w.sum()


def relabelled_sums(x: Array, sigma2: float, labels: Array, sums: Array) -> float:
    """See the package; returns 1^T K 1."""
    count, n = labels.shape
    tiles = pack(x)
    packed = _packed(labels, 2 * REGISTER // x.itemsize)
    panels, width = packed.shape[1], packed.shape[3]
    found, totals = np.zeros((len(tiles), 2, panels, width)), np.empty(len(tiles))
    threads = threads_for(n * n * (x.shape[1] + count) / 2)
    parts = parts_for(threads)
    share(threads, lambda number: _strips(tiles, n, 0.5 / sigma2, packed, found, totals, number, parts), parts)
    sums[...] = found.sum(axis=0).reshape(2, panels * width)[:, :count]
    sums[0] *= 2.0
    return 2.0 * float(totals.sum())

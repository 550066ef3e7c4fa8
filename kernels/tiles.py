"""Points in tiles of TILE, so that the distances between the points of two tiles are computed while both are in the first-level cache.

    pack(x (n, d)) -> (tiles, d, TILE)            tile t holds points t TILE, t TILE + 1, ..., features outermost
    in_tile(t, n)                                 how many points of n the tile t holds; the last is filled up with zeros
    distances(x, y, out (TILE, TILE))             out[r, j] = sum_k (x[k, r] - y[k, j])^2        x, y (d, TILE)
    fused_distances(x, y, count, out)             the same for the first `count` points of x or a few more; faster, where the last bit
                                                  does not matter

A distance is the one that `npae.kernels.pairwise` defines, to the last bit; a fused one is rounded less often: see blocks.py. A tile of
float32 points with 64 features takes 16 KiB.
"""

from __future__ import annotations

import numpy as np

from npae.kernels import blocks
from npae.kernels.blocks import REGISTER, ROWS
from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array

TILE = 64


@jit(STRICT)
def pack(x: Array) -> Array:
    """The points of x in tiles."""
    tiles = np.zeros((tiles_of(len(x)), x.shape[1], TILE), x.dtype)
    for i in range(len(x)):
        for k in range(x.shape[1]):
            tiles[i // TILE, k, i % TILE] = x[i, k]
    return tiles


@jit(STRICT)
def tiles_of(n: int) -> int:
    """How many tiles n points take."""
    return (n + TILE - 1) // TILE


@jit(STRICT)
def in_tile(t: int, n: int) -> int:
    """The number of points in tile t."""
    return min(TILE, n - t * TILE)


@jit(STRICT)
def distances(x: Array, y: Array, out: Array) -> None:
    """Squared distances between the points of two tiles."""
    width = 2 * REGISTER // x.itemsize
    for r in range(0, TILE, ROWS):
        for c in range(0, TILE, width):
            blocks.square_distances(x, r, y, c, out, r, c, len(x))


@jit(STRICT)
def fused_distances(x: Array, y: Array, count: int, out: Array) -> None:
    """Squared distances of `count` points of x to those of y, within (d + 2) eps / 2 of the exact ones."""
    width = REGISTER // x.itemsize
    for r in range(0, count, 2 * ROWS):
        for c in range(0, TILE, width):
            blocks.fused_distances(x, r, y, c, out, r, c, len(x))

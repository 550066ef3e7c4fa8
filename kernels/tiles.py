"""Points in tiles of TILE, so that the distances between TILE rows and TILE columns are computed while both are in the first-level cache.

    pack(y (m, d)) -> (tiles, d, TILE)        columns: tile t holds points t TILE, t TILE + 1, ..., features outermost
    in_rows(x (n, d)) -> (tiles TILE, d)      rows: the points as they are
    in_tile(t, m)                             how many points of m the tile t holds; the last is filled up with zeros
    distances(x, i, tile, out (TILE, TILE))   out[r, j] = sum_k (x[i + r, k] - tile[k, j])^2
    fused_distances(x, i, tile, out)          the same, faster, where the last bit does not matter

A distance is the one that `npae.kernels.pairwise` defines, to the last bit; a fused one is rounded less often: see blocks.py. A tile of
float32 points with 64 features takes 16 KiB.
"""

from __future__ import annotations

import numpy as np

from npae.kernels.blocks import REGISTER, ROWS, fused_distances_2, square_distances_2
from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array

TILE = 64


@jit(STRICT)
def pack(y: Array) -> Array:
    """The points of y in tiles, as columns."""
    tiles = np.zeros((tiles_of(len(y)), y.shape[1], TILE), y.dtype)
    for i in range(len(y)):
        for k in range(y.shape[1]):
            tiles[i // TILE, k, i % TILE] = y[i, k]
    return tiles


@jit(STRICT)
def in_rows(x: Array) -> Array:
    """The points of x as rows, filled up with zeros."""
    rows = np.zeros((tiles_of(len(x)) * TILE, x.shape[1]), x.dtype)
    rows[: len(x)] = x
    return rows


@jit(STRICT)
def tiles_of(n: int) -> int:
    """How many tiles n points take."""
    return (n + TILE - 1) // TILE


@jit(STRICT)
def in_tile(t: int, m: int) -> int:
    """The number of points in tile t."""
    return min(TILE, m - t * TILE)


@jit(STRICT)
def distances(x: Array, i: int, tile: Array, out: Array) -> None:
    """Squared distances of TILE rows, from i on, to the points of a tile."""
    width = 2 * REGISTER // x.itemsize
    for r in range(0, TILE, ROWS):
        for c in range(0, TILE, width):
            square_distances_2(x, i + r, tile, c, out, r, c, len(tile))


@jit(STRICT)
def fused_distances(x: Array, i: int, tile: Array, out: Array) -> None:
    """Squared distances of TILE rows, from i on, to the points of a tile, within (d + 2) eps / 2 of the exact ones."""
    width = 2 * REGISTER // x.itemsize
    for r in range(0, TILE, ROWS):
        for c in range(0, TILE, width):
            fused_distances_2(x, i + r, tile, c, out, r, c, len(tile))

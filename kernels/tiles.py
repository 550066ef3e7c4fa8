"""Points in tiles of TILE, features outermost, so that the distances from one point to a tile are computed side by side.

    pack(y (m, d)) -> (tiles, d, TILE)            tile t holds points t TILE, t TILE + 1, ...; the last is filled up with zeros
    in_tile(t, m)                                 how many points of m the tile t holds
    distances_to_tile(x (d,), tile (d, TILE), count, out (>= count,))        out_j = sum_k (x_k - tile_kj)^2

The distance is the one that `npae.kernels.pairwise` defines: k in order, every operation rounded on its own. A tile of float32 points with
64 features takes 16 KiB and stays in the first-level cache while all the other points pass by.
"""

from __future__ import annotations

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array

TILE = 64


@jit(STRICT)
def pack(y: Array) -> Array:
    """The points of y in tiles."""
    tiles = np.zeros(((len(y) + TILE - 1) // TILE, y.shape[1], TILE), y.dtype)
    for i in range(len(y)):
        for k in range(y.shape[1]):
            tiles[i // TILE, k, i % TILE] = y[i, k]
    return tiles


@jit(STRICT)
def in_tile(t: int, m: int) -> int:
    """The number of points in tile t."""
    return min(TILE, m - t * TILE)


@jit(STRICT)
def distances_to_tile(x: Array, tile: Array, count: int, out: Array) -> None:
    """Squared distances from one point to the first points of a tile."""
    column = tile[0]
    for j in range(count):
        difference = x[0] - column[j]
        out[j] = difference * difference
    for k in range(1, len(tile)):
        column = tile[k]
        for j in range(count):
            difference = x[k] - column[j]
            out[j] += difference * difference

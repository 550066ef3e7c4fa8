"""out_ij = sum_k (x_ik - y_jk)^2        x (n, d)   y (m, d)   out (n, m)        compiled: TILE rows against TILE columns at a time."""

from __future__ import annotations

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.threads import share, threads_for
from npae.kernels.tiles import TILE, distances, in_rows, in_tile, pack


@jit(STRICT)
def _strips(rows: Array, tiles: Array, out: Array, first: int, step: int) -> None:
    """Every step-th strip of TILE rows."""
    n, m = out.shape
    d2 = np.empty((TILE, TILE), rows.dtype)
    for i in range(first * TILE, n, step * TILE):
        height = min(TILE, n - i)
        for t in range(len(tiles)):
            distances(rows, i, tiles[t], d2)
            j, width = t * TILE, in_tile(t, m)
            out[i : i + height, j : j + width] = d2[:height, :width]


def pairwise_squared(x: Array, y: Array, out: Array) -> None:
    """Squared distances; see the package."""
    rows, tiles = in_rows(x), pack(y)
    count = threads_for(len(x) * y.size)
    share(count, lambda number: _strips(rows, tiles, out, number, count))

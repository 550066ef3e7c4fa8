"""out_ij = sum_k (x_ik - y_jk)^2        x (n, d)   y (m, d)   out (n, m)        compiled: TILE rows against TILE columns at a time."""

from __future__ import annotations

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.threads import parts_for, share, threads_for
from npae.kernels.tiles import TILE, distances, in_tile, pack


@jit(STRICT)
def _strips(x: Array, y: Array, out: Array, first: int, step: int) -> None:
    """Every step-th tile of x, x and y in tiles."""
    n, m = out.shape
    d2 = np.empty((TILE, TILE), out.dtype)
    for b in range(first, len(x), step):
        i, height = b * TILE, in_tile(b, n)
        for t in range(len(y)):
            distances(x[b], y[t], d2)
            j, width = t * TILE, in_tile(t, m)
            out[i : i + height, j : j + width] = d2[:height, :width]


def pairwise_squared(x: Array, y: Array, out: Array) -> None:
    """Squared distances; see the package."""
    x_tiles, y_tiles = pack(x), pack(y)
    threads = threads_for(len(x) * y.size)
    parts = parts_for(threads)
    share(threads, lambda number: _strips(x_tiles, y_tiles, out, number, parts), parts)

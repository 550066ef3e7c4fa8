"""out_ij = sum_k (x_ik - y_jk)^2        x (n, d)   y (m, d)   out (n, m)        compiled: one point against a tile of y at a time."""

from __future__ import annotations

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.tiles import TILE, distances_to_tile, in_tile, pack


@jit(STRICT)
def pairwise_squared(x: Array, y: Array, out: Array) -> None:
    """Squared distances; see the package."""
    tiles = pack(y)
    for t in range(len(tiles)):
        first, count = t * TILE, in_tile(t, len(y))
        for i in range(len(x)):
            distances_to_tile(x[i], tiles[t], count, out[i, first : first + count])

"""The r-th smallest of n m squared distances, compiled, without storing them: radix selection on their bit patterns.        z (n, d)   w (m, d)

A distance is not negative, so its bit pattern, read as a whole number, orders as it does (a NaN comes last). A pass computes all distances
tile by tile and counts those patterns that begin with the known digits by their next DIGIT bits; the digit where the rank falls is then
known. As soon as at most BUFFER patterns begin so, a last pass collects them, and bisection on the pattern finishes: it counts, which
vectorises, and neither sorts nor moves. 10,000 distances take that one pass, 10^8 in float32 at most two.
Scratch: w in tiles, a buffer and a histogram of constant size, below 1 MiB together.
"""

from __future__ import annotations

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.order_statistic import not_found
from npae.kernels.tiles import TILE, distances_to_tile, in_tile, pack

DIGIT = 16
BUFFER = 1 << 14


@jit(STRICT)
def _count_digits(z: Array, m: int, tiles: Array, prefix: int, shift: int, d2: Array, patterns: Array) -> Array:
    """How many patterns that begin with `prefix` have each next digit, the bits from `shift` up."""
    counts = np.zeros(1 << DIGIT, np.int64)
    sign = (1 << (8 * patterns.itemsize - 1)) - 1
    for t in range(len(tiles)):
        count = in_tile(t, m)
        for i in range(len(z)):
            distances_to_tile(z[i], tiles[t], count, d2)
            for j in range(count):
                digits = (np.int64(patterns[j]) & sign) >> shift
                if digits >> DIGIT == prefix:
                    counts[digits & 0xFFFF] += 1
    return counts

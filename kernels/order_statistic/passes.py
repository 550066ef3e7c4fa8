"""The passes over all pairs that the selection of a distance is made of, compiled: count, collect, sample, locate.

A distance is looked at as its bit pattern. A pass goes over the strips of rows first, first + step, ...: one thread's share. Where both
samples are the same points it looks at the tiles up to the diagonal, and those before it count twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.order_statistic.masks import compare, lowest, ones
from npae.kernels.tiles import TILE, distances, in_tile, tiles_of


class Points(NamedTuple):
    """Both samples as the passes read them."""

    rows: Array
    n: int
    tiles: Array
    m: int
    same: bool


@jit(STRICT)
def positive(patterns: Array) -> Any:
    """All bits but that of the sign, which a NaN may have."""
    return patterns.dtype.type((1 << (8 * patterns.itemsize - 1)) - 1)


@jit(STRICT)
def _count_row(patterns: Array, r: int, width: int, low: int, high: int, shift: int, weight: int, buckets: Array) -> int:
    """How many patterns of a row lie below `low`; those from low to high are counted by (pattern - low) >> shift."""
    below, inside = compare(patterns, r, low, high, width)
    while inside:
        pattern = np.int64(patterns[r, lowest(inside)] & positive(patterns))
        buckets[(pattern - low) >> shift] += weight
        inside &= inside - np.uint64(1)
    return weight * int(ones(below))


@jit(STRICT)
def count(
    points: Points, low: int, high: int, shift: int, every: int, d2: Array, patterns: Array, buckets: Array, first: int, step: int
) -> tuple[int, int]:
    """The number of patterns below the bracket, and of all; those inside go to the buckets. Of the tiles, each `every`-th diagonal.

    Diagonals, because then every point takes part in as many pairs as any other.
    """
    below, looked_at = 0, 0
    for b in range(first, tiles_of(points.n), step):
        for t in range(b + 1 if points.same else len(points.tiles)):
            if (b - t) % every != every // 2:
                continue
            width, height = in_tile(t, points.m), in_tile(b, points.n)
            weight = 2 if points.same and t < b else 1
            distances(points.rows, b * TILE, points.tiles[t], d2)
            looked_at += weight * height * width
            for r in range(height):
                below += _count_row(patterns, r, width, low, high, shift, weight, buckets)
    return below, looked_at


@jit(STRICT)
def _collect_row(patterns: Array, r: int, width: int, low: int, high: int, buffer: Array, found: int) -> tuple[int, int]:
    """How many patterns of a row lie below `low`; those from low to high are appended to the buffer."""
    below, inside = compare(patterns, r, low, high, width)
    while inside:
        buffer[found] = patterns[r, lowest(inside)] & positive(patterns)
        found += 1
        inside &= inside - np.uint64(1)
    return ones(below), found


@jit(STRICT)
def collect(points: Points, low: int, high: int, d2: Array, patterns: Array, buffer: Array, first: int, step: int) -> tuple[int, int]:
    """The number of patterns below the bracket, and of those inside, which are in the buffer; (0, -1) where it is too small for them."""
    below, found = 0, 0
    for b in range(first, tiles_of(points.n), step):
        for t in range(b + 1 if points.same else len(points.tiles)):
            width, twice = in_tile(t, points.m), points.same and t < b
            if found + 2 * TILE * TILE > len(buffer):
                return 0, -1
            distances(points.rows, b * TILE, points.tiles[t], d2)
            under, start = 0, found
            for r in range(in_tile(b, points.n)):
                row_under, found = _collect_row(patterns, r, width, low, high, buffer, found)
                under += row_under
            if twice:
                buffer[found : 2 * found - start] = buffer[start:found]
                under, found = 2 * under, 2 * found - start
            below += under
    return below, found


@jit(STRICT)
def sample(points: Points, d2: Array, patterns: Array, out: Array) -> int:
    """The patterns of one tile for each strip of rows, a diagonal away from the main one; returns their number."""
    strips, columns = tiles_of(points.n), len(points.tiles)
    found = 0
    for s in range(max(strips, columns)):
        b, t = s % strips, (s + columns // 2) % columns
        distances(points.rows, b * TILE, points.tiles[t], d2)
        for r in range(in_tile(b, points.n)):
            for j in range(in_tile(t, points.m)):
                out[found] = patterns[r, j] & positive(patterns)
                found += 1
    return found


@jit(STRICT)
def all_patterns(points: Points, d2: Array, patterns: Array, out: Array) -> None:
    """The patterns of all n m distances, where those are few."""
    for b in range(tiles_of(points.n)):
        for t in range(len(points.tiles)):
            distances(points.rows, b * TILE, points.tiles[t], d2)
            for r in range(in_tile(b, points.n)):
                for j in range(in_tile(t, points.m)):
                    out[b * TILE + r, t * TILE + j] = patterns[r, j] & positive(patterns)


@jit(STRICT)
def locate(points: Points, value: Any, d2: Array) -> tuple[int, int]:
    """The first pair at that distance, or (-1, -1)."""
    for b in range(tiles_of(points.n)):
        row, column = points.n, -1
        for t in range(len(points.tiles)):
            distances(points.rows, b * TILE, points.tiles[t], d2)
            for r in range(min(in_tile(b, points.n), row - b * TILE)):
                for j in range(in_tile(t, points.m)):
                    if d2[r, j] == value and b * TILE + r < row:
                        row, column = b * TILE + r, t * TILE + j
        if column >= 0:
            return row, column
    return -1, -1

"""The passes over all pairs that the selection of a distance is made of, compiled: count, collect, sample, locate.

A distance is looked at as its bit pattern: d2 (TILE, TILE) holds the distances between two tiles, and `patterns` is the same memory read
as whole numbers. A pass goes over the tiles first, first + step, ... of x: one part of the work. Where both samples are the same points it
looks at the tiles of y up to that one, and those before it count twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.order_statistic.masks import compare, lowest, ones
from npae.kernels.tiles import TILE, distances, fused_distances, in_tile

SPARSE = 8  # of each row and of each column of a tile, one pattern in so many is sampled


class Points(NamedTuple):
    """Both samples in tiles, n points of x and m of y."""

    x: Array
    n: int
    y: Array
    m: int
    same: bool


@jit(STRICT)
def positive(patterns: Array) -> Any:
    """All bits but that of the sign, which a NaN may have."""
    return patterns.dtype.type((1 << (8 * patterns.itemsize - 1)) - 1)


@jit(STRICT)
def _count_row(d2: Array, patterns: Array, r: int, width: int, low: int, high: int, shift: int, weight: int, buckets: Array) -> int:
    """How many patterns of a row lie below `low`; those from low to high are counted by (pattern - low) >> shift."""
    below, near = compare(d2, r, low, high, width)
    under = int(ones(below))
    while near:
        pattern = np.int64(patterns[r, lowest(near)] & positive(patterns))
        if pattern < low:
            under += 1
        elif pattern <= high:
            buckets[(pattern - low) >> shift] += weight
        near &= near - np.uint64(1)
    return weight * under


@jit(STRICT)
def count(
    points: Points, low: int, high: int, shift: int, every: int, d2: Array, patterns: Array, buckets: Array, first: int, step: int
) -> tuple[int, int]:
    """The number of patterns below the bracket, and of all; those inside go to the buckets. Of the tiles, each `every`-th diagonal.

    Diagonals, because then every point takes part in as many pairs as any other. A part of the tiles serves a guess, for which fused
    distances will do.
    """
    below, looked_at = 0, 0
    for b in range(first, len(points.x), step):
        for t in range(b + 1 if points.same else len(points.y)):
            if (b - t) % every != every // 2:
                continue
            width, height = in_tile(t, points.m), in_tile(b, points.n)
            weight = 2 if points.same and t < b else 1
            if every > 1:
                fused_distances(points.x[b], points.y[t], height, d2)
            else:
                distances(points.x[b], points.y[t], d2)
            looked_at += weight * height * width
            for r in range(height):
                below += _count_row(d2, patterns, r, width, low, high, shift, weight, buckets)
    return below, looked_at


@jit(STRICT)
def _exactly(x: Array, r: int, y: Array, j: int) -> Any:
    """The distance of one pair, as `distances` has it."""
    total = x.dtype.type(0)
    for k in range(len(x)):
        difference = y[k, j] - x[k, r]
        total += difference * difference
    return total


@jit(STRICT)
def _collect_row(
    x: Array, y: Array, r: int, width: int, low: int, high: int, d2: Array, patterns: Array, buffer: Array, found: int
) -> tuple[int, int]:
    """How many patterns of a row lie below `low`; those from low to high are appended to the buffer.

    d2 holds fused distances; those in the bracket, or so near to it that rounding might take them in or out, are computed again, exactly.
    """
    margin = 4 * (len(x) + 4)  # of patterns: both forms are within d + 2 of them of the truth, also where numbers lose digits near zero
    below, near = compare(d2, r, max(low - margin, 0), min(high + margin, np.int64(positive(patterns))), width)
    under = int(ones(below))
    while near:
        j = lowest(near)
        d2[r, j] = _exactly(x, r, y, j)
        pattern = np.int64(patterns[r, j] & positive(patterns))
        if pattern < low:
            under += 1
        elif pattern <= high:
            buffer[found] = pattern
            found += 1
        near &= near - np.uint64(1)
    return under, found


@jit(STRICT)
def collect(points: Points, low: int, high: int, d2: Array, patterns: Array, buffer: Array, first: int, step: int) -> tuple[int, int]:
    """The number of patterns below the bracket, and of those inside, which are in the buffer; (0, -1) where it is too small for them."""
    below, found = 0, 0
    for b in range(first, len(points.x), step):
        x, height = points.x[b], in_tile(b, points.n)
        for t in range(b + 1 if points.same else len(points.y)):
            y, width, twice = points.y[t], in_tile(t, points.m), points.same and t < b
            if found + 2 * TILE * TILE > len(buffer):
                return 0, -1
            fused_distances(x, y, height, d2)
            under, start = 0, found
            for r in range(height):
                row_under, found = _collect_row(x, y, r, width, low, high, d2, patterns, buffer, found)
                under += row_under
            if twice:
                buffer[found : 2 * found - start] = buffer[start:found]
                under, found = 2 * under, 2 * found - start
            below += under
    return below, found


@jit(STRICT)
def sample(points: Points, d2: Array, patterns: Array, out: Array) -> int:
    """Every SPARSE-th pattern of one tile of y for each of x, a diagonal away from the main one; returns their number."""
    strips, columns = len(points.x), len(points.y)
    found = 0
    for s in range(max(strips, columns)):
        b, t = s % strips, (s + columns // 2) % columns
        distances(points.x[b], points.y[t], d2)
        for r in range(in_tile(b, points.n)):
            for j in range(r % SPARSE, in_tile(t, points.m), SPARSE):
                out[found] = patterns[r, j] & positive(patterns)
                found += 1
    return found


@jit(STRICT)
def all_patterns(points: Points, d2: Array, patterns: Array, out: Array) -> None:
    """The patterns of all n m distances, where those are few."""
    for b in range(len(points.x)):
        for t in range(len(points.y)):
            distances(points.x[b], points.y[t], d2)
            for r in range(in_tile(b, points.n)):
                for j in range(in_tile(t, points.m)):
                    out[b * TILE + r, t * TILE + j] = patterns[r, j] & positive(patterns)


@jit(STRICT)
def locate(points: Points, value: Any, d2: Array) -> tuple[int, int]:
    """The first pair at that distance, or (-1, -1)."""
    for b in range(len(points.x)):
        row, column = points.n, -1
        for t in range(len(points.y)):
            distances(points.x[b], points.y[t], d2)
            for r in range(min(in_tile(b, points.n), row - b * TILE)):
                for j in range(in_tile(t, points.m)):
                    if d2[r, j] == value and b * TILE + r < row:
                        row, column = b * TILE + r, t * TILE + j
        if column >= 0:
            return row, column
    return -1, -1

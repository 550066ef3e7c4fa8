"""The r-th smallest of n m squared distances, compiled, without storing them: radix selection on bit patterns.        z (n, d)   w (m, d)

A distance is not negative, so its bit pattern, read as a whole number, orders as it does (a NaN comes last). A pass computes all distances
tile by tile and counts the patterns that begin with the known bits by their next 16; the 16 where the rank falls are then known too. As
soon as at most BUFFER patterns begin so, a last pass collects them, and bisection on the pattern finishes: it only counts, which
vectorises. 16,384 distances take that one pass; in float32 no number of them takes more than two.
Scratch: w in tiles, and a histogram and a buffer of constant size, 640 KiB together at most.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.order_statistic import not_found
from npae.kernels.tiles import TILE, distances_to_tile, in_tile, pack
from npae.kernels.validation import rank_among

DIGIT = 16  # bits
BUFFER = 1 << 14


@jit(STRICT)
def _histogram(z: Array, m: int, tiles: Array, known: int, step: int, shift: int, d2: Array, patterns: Array) -> Array:
    """How many patterns that begin with `known` have each value of the next `step` bits, below which are `shift` more."""
    counts = np.zeros(1 << step, np.int64)
    positive = (1 << (8 * patterns.itemsize - 1)) - 1  # a NaN may have the sign bit
    for t in range(len(tiles)):
        count = in_tile(t, m)
        for i in range(len(z)):
            distances_to_tile(z[i], tiles[t], count, d2)
            for j in range(count):
                bits = (np.int64(patterns[j]) & positive) >> shift
                if bits >> step == known:
                    counts[bits & ((1 << step) - 1)] += 1
    return counts


@jit(STRICT)
def _collect(z: Array, m: int, tiles: Array, known: int, shift: int, d2: Array, patterns: Array, buffer: Array) -> int:
    """Writes the patterns whose bits from `shift` up are `known` to the buffer; returns their number."""
    positive = (1 << (8 * patterns.itemsize - 1)) - 1
    found = 0
    for t in range(len(tiles)):
        count = in_tile(t, m)
        for i in range(len(z)):
            distances_to_tile(z[i], tiles[t], count, d2)
            for j in range(count):
                pattern = np.int64(patterns[j]) & positive
                buffer[found] = pattern  # one place more than BUFFER: overwritten unless it counts
                found += int(pattern >> shift == known)
    return found


@jit(STRICT)
def _bisect(buffer: Array, rank: int, low: int, high: int) -> int:
    """The smallest pattern, from low to high, that at least rank + 1 in the buffer do not exceed."""
    kind = buffer.dtype.type
    while low < high:
        middle = low + (high - low) // 2
        bound, below = kind(middle), kind(0)
        for j in range(len(buffer)):
            below = kind(below + kind(buffer[j] <= bound))
        if below > rank:
            high = middle
        else:
            low = middle + 1
    return low


@jit(STRICT)
def _pattern(z: Array, w: Array, rank: int, d2: Array, patterns: Array) -> int:
    """The bit pattern of the order statistic; `patterns` are the bits of the row `d2`."""
    tiles, m = pack(w), len(w)
    shift, known, candidates = 8 * patterns.itemsize - 1, 0, len(z) * m
    while candidates > BUFFER and shift > 0:
        step = min(DIGIT, shift)
        shift -= step
        counts = _histogram(z, m, tiles, known, step, shift, d2, patterns)
        digit = 0
        while rank >= counts[digit]:
            rank -= int(counts[digit])
            digit += 1
        known, candidates = (known << step) + digit, int(counts[digit])
    if shift == 0:
        return known
    buffer = np.empty(candidates + 1, patterns.dtype)
    found = _collect(z, m, tiles, known, shift, d2, patterns, buffer)
    return _bisect(buffer[:found], rank, known << shift, ((known + 1) << shift) - 1)


@jit(STRICT)
def _locate(z: Array, w: Array, value: Any, d2: Array) -> tuple[int, int]:
    """The first pair at that distance, or (-1, -1)."""
    tiles, m = pack(w), len(w)
    for i in range(len(z)):
        for t in range(len(tiles)):
            count = in_tile(t, m)
            distances_to_tile(z[i], tiles[t], count, d2)
            for j in range(count):
                if d2[j] == value:
                    return i, t * TILE + j
    return -1, -1


def distance_order_statistic(z: Array, w: Array, rank: int) -> float:
    """The `rank`-th smallest squared distance, counted from 0."""
    d2 = np.empty(TILE, z.dtype)
    patterns = d2.view(f"i{z.itemsize}")
    patterns[0] = _pattern(z, w, rank_among(rank, len(z) * len(w)), d2, patterns)
    return float(d2[0])


def locate_distance(z: Array, w: Array, value: float) -> tuple[int, int]:
    """The first (i, j), row by row, whose squared distance is `value`."""
    i, j = _locate(z, w, z.dtype.type(value), np.empty(TILE, z.dtype))
    if i < 0:
        raise not_found(value)
    return i, j

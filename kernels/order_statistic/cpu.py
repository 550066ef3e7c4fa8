"""The r-th smallest of n m squared distances, compiled, without storing them: selection on bit patterns.        z (n, d)   w (m, d)

A distance is not negative, so its bit pattern, read as a whole number, orders as it does (a NaN comes last). A bracket of patterns is
narrowed until at most BUFFER distances lie in it; a last pass over all pairs collects those.

    start    the quantiles of SAMPLED random pairs, spread so wide that the rank lies between them but for one case in millions
    narrow   a pass counts the patterns below the bracket, and those inside by BUCKETS equal parts: the part that holds the rank is next
    missed   the rank lies outside: begin again with a bracket that holds every number

Counts are whole numbers, so neither the sample nor the number of threads can change the result. Where z and w are the same points only the
tiles up to the diagonal are looked at, and those before it count twice. In float32 one narrowing is enough unless values repeat.
Scratch: both samples (as rows and in tiles), the sample, the parts and the buffer: O((n + m) d) and a constant below 2 MiB a thread.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.order_statistic import not_found
from npae.kernels.threads import share, threads_for
from npae.kernels.tiles import TILE, distances, in_rows, in_tile, pack
from npae.kernels.validation import rank_among

BUFFER = 1 << 14
BUCKETS = 1 << 11
SAMPLED = 1 << 16  # at most; a 64th of the pairs where those are few
SPREAD = 6.0  # standard deviations of a sampled quantile
LANES = 16  # patterns that are looked at together


class Points(NamedTuple):
    """Both samples as the passes read them."""

    rows: Array
    n: int
    tiles: Array
    m: int
    same: bool


@jit(STRICT)
def _sampled(z: Array, w: Array, count: int, d2: Array) -> None:
    """Distances of `count` pairs that a 64-bit linear congruential generator picks."""
    state = np.uint64(0x9E3779B97F4A7C15)
    for s in range(count):
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        i = np.int64(((state >> np.uint64(33)) * np.uint64(len(z))) >> np.uint64(31))
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        j = np.int64(((state >> np.uint64(33)) * np.uint64(len(w))) >> np.uint64(31))
        total = d2.dtype.type(0)
        for k in range(z.shape[1]):
            difference = z[i, k] - w[j, k]
            total += difference * difference
        d2[s] = total


@jit(STRICT)
def _count_row(patterns: Array, low: int, high: int, shift: int, weight: int, buckets: Array) -> int:
    """How many patterns of a row lie below `low`; those from low to high are counted by (pattern - low) >> shift."""
    positive = (1 << (8 * patterns.itemsize - 1)) - 1  # a NaN may have the sign bit
    kind = patterns.dtype.type
    mask, least, most = kind(positive), kind(low), kind(high)
    below = 0
    for first in range(0, len(patterns), LANES):
        under, over = kind(0), kind(0)
        part = patterns[first : first + LANES]
        for j in range(len(part)):
            pattern = part[j] & mask
            under += kind(pattern < least)
            over += kind(pattern > most)
        below += under
        if under + over < len(part):
            for j in range(len(part)):
                pattern = np.int64(part[j] & mask)
                if low <= pattern <= high:
                    buckets[(pattern - low) >> shift] += weight
    return below * weight


@jit(STRICT)
def _count(points: Points, low: int, high: int, shift: int, d2: Array, patterns: Array, buckets: Array, first: int, step: int) -> int:
    """One thread's share of a narrowing pass: the number of patterns below the bracket; those inside go to the buckets."""
    below = 0
    for b in range(first, (points.n + TILE - 1) // TILE, step):
        for t in range(b + 1 if points.same else len(points.tiles)):
            width = in_tile(t, points.m)
            weight = 2 if points.same and t < b else 1
            distances(points.rows, b * TILE, points.tiles[t], d2)
            for r in range(in_tile(b, points.n)):
                below += _count_row(patterns[r, :width], low, high, shift, weight, buckets)
    return below


@jit(STRICT)
def _collect(points: Points, low: int, high: int, d2: Array, patterns: Array, buffer: Array, first: int, step: int) -> int:
    """One thread's share of the last pass: writes the patterns from low to high to the buffer, and returns their number."""
    positive = (1 << (8 * patterns.itemsize - 1)) - 1
    kind = patterns.dtype.type
    mask, least, most = kind(positive), kind(low), kind(high)
    found = 0
    for b in range(first, (points.n + TILE - 1) // TILE, step):
        for t in range(b + 1 if points.same else len(points.tiles)):
            width = in_tile(t, points.m)
            copies = 2 if points.same and t < b else 1
            distances(points.rows, b * TILE, points.tiles[t], d2)
            for r in range(in_tile(b, points.n)):
                row = patterns[r, :width]
                inside = kind(0)
                for j in range(width):
                    pattern = row[j] & mask
                    inside += kind(pattern >= least) & kind(pattern <= most)
                if inside:
                    for j in range(width):
                        pattern = row[j] & mask
                        if least <= pattern <= most:
                            for _ in range(copies):
                                buffer[found] = pattern
                                found += 1
    return found


@jit(STRICT)
def _locate(points: Points, value: Any, d2: Array) -> tuple[int, int]:
    """The first pair at that distance, or (-1, -1)."""
    for b in range((points.n + TILE - 1) // TILE):
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


@jit(STRICT)
def _all_patterns(z: Array, w: Array, d2: Array, patterns: Array, out: Array) -> None:
    """The patterns of all n m distances, where those are few."""
    rows, tiles = in_rows(z), pack(w)
    positive = (1 << (8 * patterns.itemsize - 1)) - 1
    for b in range((len(z) + TILE - 1) // TILE):
        for t in range(len(tiles)):
            distances(rows, b * TILE, tiles[t], d2)
            for r in range(in_tile(b, len(z))):
                for j in range(in_tile(t, len(w))):
                    out[b * TILE + r, t * TILE + j] = patterns[r, j] & positive


@jit(STRICT)
def _bisected(patterns: Array, rank: int) -> int:
    """The smallest pattern that at least rank + 1 of these do not exceed: it only counts, which vectorises."""
    kind = patterns.dtype.type
    low, high = 0, (1 << (8 * patterns.itemsize - 1)) - 1
    while low < high:
        middle = low + (high - low) // 2
        bound, up_to = kind(middle), kind(0)
        for j in range(len(patterns)):
            up_to = kind(up_to + kind(patterns[j] <= bound))
        if up_to > rank:
            high = middle
        else:
            low = middle + 1
    return low


def _few(z: Array, w: Array, rank: int) -> float:
    """The statistic of at most BUFFER distances."""
    d2 = np.empty((TILE, TILE), z.dtype)
    patterns = d2.view(f"i{z.itemsize}")
    out = np.empty((len(z), len(w)), patterns.dtype)
    _all_patterns(z, w, d2, patterns, out)
    patterns[0, 0] = _bisected(out.ravel(), rank)
    return float(d2[0, 0])


class _Selection:
    """The passes over one pair of samples, each shared among threads."""

    def __init__(self, z: Array, w: Array) -> None:
        self.z, self.w = z, w
        self.points = Points(in_rows(z), len(z), pack(w), len(w), z is w)
        self.threads = threads_for(len(z) * w.size)
        self.squares = [np.empty((TILE, TILE), z.dtype) for _ in range(self.threads)]
        self.patterns = [square.view(f"i{z.itemsize}") for square in self.squares]
        self.largest = (1 << (8 * z.itemsize - 1)) - 1

    def sampled(self, rank: int) -> tuple[int, int]:
        """A bracket of patterns that very probably holds the rank."""
        pairs = len(self.z) * len(self.w)
        count = min(SAMPLED, pairs // 64)
        d2 = np.empty(count, self.z.dtype)
        _sampled(self.z, self.w, count, d2)
        patterns = d2.view(f"i{d2.itemsize}")
        patterns &= self.largest
        patterns.sort()
        share_below = rank / pairs
        slack = SPREAD * (max(share_below * (1 - share_below), 1 / count) / count) ** 0.5
        low, high = int(np.floor((share_below - slack) * count)) - 1, int(np.ceil((share_below + slack) * count)) + 1
        return (0 if low < 0 else int(patterns[low])), (self.largest if high >= count else int(patterns[high]))

    def count(self, low: int, high: int, shift: int) -> tuple[int, Array]:
        """How many patterns lie below the bracket, and how many in each part of it."""
        buckets = np.zeros((self.threads, BUCKETS), np.int64)
        below = [0] * self.threads

        def part(t: int) -> None:
            below[t] = _count(self.points, low, high, shift, self.squares[t], self.patterns[t], buckets[t], t, self.threads)

        share(self.threads, part)
        return sum(below), buckets.sum(axis=0)

    def collect(self, low: int, high: int, count: int) -> Array:
        """The patterns from low to high, of which there are `count`."""
        buffers = [np.empty(count, self.patterns[0].dtype) for _ in range(self.threads)]
        found = [0] * self.threads

        def part(t: int) -> None:
            found[t] = _collect(self.points, low, high, self.squares[t], self.patterns[t], buffers[t], t, self.threads)

        share(self.threads, part)
        return np.concatenate([buffer[:number] for buffer, number in zip(buffers, found, strict=True)])

    def pattern(self, rank: int) -> int:
        """The pattern of that rank."""
        inside, below, checked = len(self.z) * len(self.w), 0, False
        low, high = self.sampled(rank)
        while not checked or (inside > BUFFER and low < high):  # also a bracket of one value was only guessed
            shift = max((high - low).bit_length() - BUCKETS.bit_length() + 1, 0)
            below, buckets = self.count(low, high, shift)
            if not below <= rank < below + int(buckets.sum()):
                low, high = 0, self.largest
                continue
            checked = True
            edges = below + np.cumsum(buckets)
            place = int(np.searchsorted(edges, rank, side="right"))
            inside, below = int(buckets[place]), int(edges[place] - buckets[place])
            low, high = low + (place << shift), min(low + ((place + 1) << shift) - 1, high)
        if low == high:
            return low
        return int(np.partition(self.collect(low, high, inside), rank - below)[rank - below])


def distance_order_statistic(z: Array, w: Array, rank: int) -> float:
    """The `rank`-th smallest squared distance, counted from 0."""
    rank = rank_among(rank, len(z) * len(w))
    if len(z) * len(w) <= BUFFER:
        return _few(z, w, rank)
    selection = _Selection(z, w)
    pattern = selection.pattern(rank)
    return float(np.array(pattern, selection.patterns[0].dtype).view(z.dtype))


def locate_distance(z: Array, w: Array, value: float) -> tuple[int, int]:
    """The first (i, j), row by row, whose squared distance is `value`."""
    points = Points(in_rows(z), len(z), pack(w), len(w), same=False)
    i, j = _locate(points, z.dtype.type(value), np.empty((TILE, TILE), z.dtype))
    if i < 0:
        raise not_found(value)
    return i, j

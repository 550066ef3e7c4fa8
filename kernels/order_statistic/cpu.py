"""The r-th smallest of n m squared distances, compiled, without storing them: selection on bit patterns.        z (n, d)   w (m, d)

A distance is not negative, so its bit pattern, read as a whole number, orders as it does (a NaN comes last). As a rule one pass over all
pairs is enough, because the bracket in which it collects patterns is guessed well:

    sample   an eighth of one diagonal of tiles gives 8 max(n, m) distances, hence the quantiles on either side of the rank, SPREAD
             deviations apart
    narrow   if more than MANY (n + m) patterns are to be expected between them, some diagonals of tiles, up to one in EVERY, are counted
             by BUCKETS parts of the bracket, and again the quantiles on either side are next: between them are O(n) patterns
    collect  a pass over all pairs counts the patterns below the bracket and collects those inside; the rank is found among them.
             It looks at fused distances, which are faster, and at the exact one where those are in the bracket or near it

The points are shuffled first, so that a diagonal says something about all pairs. Where the guess was wrong, or many distances are equal,
the bracket begins again with every number, and passes over all pairs narrow it by BUCKETS parts until at most BUFFER patterns lie inside.
Counts are whole numbers, so neither the guess nor the number of threads can change the result.
Scratch: both samples, the sample and what is collected: O((n + m) d), and a constant.
"""

from __future__ import annotations

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.order_statistic import not_found
from npae.kernels.order_statistic.passes import SPARSE, Points, all_patterns, collect, count, locate, sample
from npae.kernels.threads import parts_for, share, threads_for
from npae.kernels.tiles import TILE, pack
from npae.kernels.validation import rank_among

BUFFER = 1 << 14
BUCKETS = 1 << 11
SPREAD = 5.0  # standard deviations of a sampled quantile: missed once in a million times
MANY = 8  # patterns inside the bracket for each point
EVERY = 32  # diagonals of tiles, of which at least one is counted to narrow a bracket


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
    all_patterns(Points(pack(z), len(z), pack(w), len(w), False), d2, patterns, out)
    patterns[0, 0] = _bisected(out.ravel(), rank)
    return float(d2[0, 0])


def _shuffled(z: Array, seed: int) -> Array:
    """The points in an order that has nothing to do with theirs."""
    return z[np.random.Generator(np.random.Philox(seed)).permutation(len(z))]


class _Selection:
    """The passes over one pair of samples, each in parts that threads share."""

    def __init__(self, z: Array, w: Array) -> None:
        same = z is w
        self.pairs = len(z) * len(w)
        tiles = pack(_shuffled(z, 0))
        self.points = Points(tiles, len(z), tiles if same else pack(_shuffled(w, 1)), len(w), same)
        self.threads = threads_for(len(z) * w.size)
        self.parts = parts_for(self.threads)
        self.squares = [np.empty((TILE, TILE), z.dtype) for _ in range(self.parts)]
        self.patterns = [square.view(f"i{z.itemsize}") for square in self.squares]
        self.largest = (1 << (8 * z.itemsize - 1)) - 1
        self.many = MANY * (len(z) + len(w))
        self.every = min(max(len(tiles) // 4, 2), EVERY)  # few points leave few pairs to count, and more to collect by

    def around(self, rank: int, sampled: int) -> tuple[float, float]:
        """Two shares of all distances, between which the rank's lies as far as a sample of that size can tell."""
        zeros = self.points.n if self.points.same else 0  # of the points with themselves, which no sample looks at
        below = max(rank - zeros, 0) / (self.pairs - zeros)
        slack = SPREAD * (max(below * (1 - below), 1 / sampled) / sampled) ** 0.5
        return below - slack, below + slack

    def sampled(self, rank: int) -> tuple[int, int]:
        """A bracket of patterns that very probably holds the rank."""
        points = self.points
        out = np.empty(max(len(points.x), len(points.y)) * TILE * TILE // SPARSE, self.patterns[0].dtype)
        out = out[: sample(points, self.squares[0], self.patterns[0], out)]
        least, most = (share_below * len(out) for share_below in self.around(rank, len(out)))
        low, high = int(np.floor(least)) - 1, int(np.ceil(most)) + 1
        inside = [place for place in (low, high) if 0 <= place < len(out)]
        out.partition(inside)
        return (0 if low < 0 else int(out[low])), (self.largest if high >= len(out) else int(out[high]))

    def narrowed(self, rank: int, low: int, high: int) -> tuple[int, int]:
        """The same from a part of the pairs."""
        shift, below, looked_at, buckets = self.count(low, high, self.every)
        edges = below + np.cumsum(buckets)
        least, most = (share_below * looked_at for share_below in self.around(rank, looked_at))
        first, last = np.searchsorted(edges, least), np.searchsorted(edges, most)
        return low + (int(first) << shift), min(low + ((int(last) + 1) << shift) - 1, high)

    def count(self, low: int, high: int, every: int = 1) -> tuple[int, int, int, Array]:
        """How wide a part of the bracket is, in bits; how many patterns lie below it; of how many; and how many in each part."""
        shift = max((high - low).bit_length() - BUCKETS.bit_length() + 1, 0)
        buckets = np.zeros((self.parts, BUCKETS), np.int64)
        found = np.zeros((self.parts, 2), np.int64)

        def part(t: int) -> None:
            found[t] = count(self.points, low, high, shift, every, self.squares[t], self.patterns[t], buckets[t], t, self.parts)

        share(self.threads, part, self.parts)
        below, looked_at = found.sum(axis=0).tolist()
        return shift, below, looked_at, buckets.sum(axis=0)

    def collect(self, low: int, high: int, expected: float) -> tuple[int, Array] | None:
        """How many patterns lie below the bracket, and those inside; None where there are far more than expected."""
        room = int(2 * expected / self.parts) + BUFFER + 2 * TILE * TILE
        buffers = [np.empty(room, self.patterns[0].dtype) for _ in range(self.parts)]
        found = np.zeros((self.parts, 2), np.int64)

        def part(t: int) -> None:
            found[t] = collect(self.points, low, high, self.squares[t], self.patterns[t], buffers[t], t, self.parts)

        share(self.threads, part, self.parts)
        if found[:, 1].min() < 0:
            return None
        return int(found[:, 0].sum()), np.concatenate([buffer[:number] for buffer, number in zip(buffers, found[:, 1], strict=True)])

    def pattern(self, rank: int) -> int:
        """The pattern of that rank."""
        low, high = self.sampled(rank)
        sampled = TILE // SPARSE * max(self.points.n, self.points.m)
        if self._expected(rank, sampled) > self.many:
            low, high = self.narrowed(rank, low, high)
            sampled = self.pairs // self.every
        collected = self.collect(low, high, self._expected(rank, sampled))
        if collected is not None:
            below, inside = collected
            if below <= rank < below + len(inside):
                inside.partition(rank - below)
                return int(inside[rank - below])
        return self._by_radix(rank)

    def _expected(self, rank: int, sampled: int) -> float:
        """Patterns in the bracket that a sample of that size gives."""
        least, most = self.around(rank, sampled)
        return (most - least) * self.pairs

    def _by_radix(self, rank: int) -> int:
        """Without a guess."""
        low, high, below, inside = 0, self.largest, 0, self.pairs
        while inside > BUFFER and low < high:
            shift, below, _, buckets = self.count(low, high)
            edges = below + np.cumsum(buckets)
            place = int(np.searchsorted(edges, rank, side="right"))
            inside, below = int(buckets[place]), int(edges[place] - buckets[place])
            low, high = low + (place << shift), min(low + ((place + 1) << shift) - 1, high)
        if low == high:
            return low
        collected = self.collect(low, high, inside)
        assert collected is not None
        return int(np.partition(collected[1], rank - below)[rank - below])


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
    points = Points(pack(z), len(z), pack(w), len(w), False)
    i, j = locate(points, z.dtype.type(value), np.empty((TILE, TILE), z.dtype))
    if i < 0:
        raise not_found(value)
    return i, j

"""The r-th smallest of n m squared distances without storing them, and the first pair at one; nothing is read back.   z (n, d)   w (m, d)

Up to FEW pairs are stored, and one block selects among them: two launches. Of more, a sample of SAMPLE guesses a bracket, and PASSES over
all pairs are launched that narrow it; as a rule two of them in float32, and five in float64, find work to do. One may learn that the guess
was wrong, and each of the others takes 11 bits off the bracket, so the last has found the value whatever the points are.
Scratch: both samples feature by feature, O((n + m) d), and a constant.
"""

from __future__ import annotations

import math
from typing import Any

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import THREADS, blocks, elementwise
from npae.kernels.kernel import Array
from npae.kernels.pairwise.gpu import pairwise_squared
from npae.kernels.validation import rank_among

LIST, PASS, LOCATE = (f"order_statistic/{name}.cu" for name in ("list", "order_statistic", "locate"))
FEW = SAMPLE = 1 << 16
LIST_THREADS = 1024  # of the block that selects from a list
SPREAD = 5.0  # standard deviations of a sampled quantile: missed once in a million times
SELECTION = 4 + 2048  # 8-byte words: the bracket, what is known of it, and the counts of its parts
PASSES = {"float32": 1 + 3, "float64": 1 + 6}  # a bracket that was missed, then ceil(32 / 11) or ceil(64 / 11)
SIDE = {"float32": 128, "float64": 64}  # points of a tile
MOST_BLOCKS = 528  # of a pass: two at a time on each of an H100's 132 multiprocessors, twice


def _laid_out(z: Array, w: Array) -> tuple[int, tuple[Any, ...]]:
    """How many blocks a pass takes; and both samples as passes take them: feature by feature, filled up to whole tiles."""
    gpu, side, same = current(), SIDE[str(z.dtype)], z is w
    (n, d), m = z.shape, len(w)
    strips, across = blocks(n, side), blocks(m, side)
    rows, columns = strips * side, across * side
    zt = gpu.empty((d, rows), z.dtype)
    wt = zt if same else gpu.empty((d, columns), z.dtype)
    filling, threads = elementwise(max(zt.size, wt.size))
    gpu.launch(PASS, "columns", z.dtype, (filling, 1 if same else 2), threads, (z, n, zt, rows, w, m, wt, columns, d))
    tiles = strips * (strips + 1) // 2 if same else strips * across
    return min(tiles, MOST_BLOCKS), (zt, rows, wt, columns, d, same)


def _around(rank: int, pairs: int) -> tuple[int, int]:
    """Two ranks in the sample, between which the rank's distance lies as far as a sample can tell."""
    share = rank / pairs
    slack = SPREAD * math.sqrt(max(share * (1 - share), 1 / SAMPLE) / SAMPLE)
    return math.floor((share - slack) * SAMPLE) - 1, math.ceil((share + slack) * SAMPLE) + 1


def distance_order_statistic(z: Array, w: Array, rank: int) -> Array:
    """The `rank`-th smallest squared distance, counted from 0."""
    gpu, value = current(), current().number()
    (n, d), m = z.shape, len(w)
    rank = rank_among(rank, n * m)
    if n * m <= FEW:
        squares = gpu.empty((n, m), z.dtype)
        pairwise_squared(z, w, squares)
        gpu.launch(LIST, "select_few", z.dtype, 1, LIST_THREADS, (squares, n * m, rank, value))
        return value
    sample, selection, ticket = gpu.empty(SAMPLE, z.dtype), gpu.empty(SELECTION, "uint64"), gpu.sum_room(1)[1]
    gpu.launch(LIST, "sample", z.dtype, blocks(SAMPLE, THREADS), THREADS, (z, n, w, m, d, sample, SAMPLE, selection))
    gpu.launch(LIST, "bracket", z.dtype, 2, LIST_THREADS, (sample, SAMPLE, *_around(rank, n * m), selection))
    grid, samples = _laid_out(z, w)
    for _ in range(PASSES[str(z.dtype)]):
        gpu.launch(PASS, "narrow", z.dtype, grid, THREADS, (*samples, rank, selection, ticket, value))
    return value


def locate_distance(z: Array, w: Array, value: Any) -> tuple[Array, Array]:
    """The first (i, j), row by row, whose squared distance is `value`, a number or one on the device; (-1, -1) where there is none."""
    gpu = current()
    i, j = gpu.empty((), "int64"), gpu.empty((), "int64")
    grid, samples = _laid_out(z, w)
    room = gpu.empty(grid, "uint64"), gpu.sum_room(1)[1]
    gpu.launch(LOCATE, "locate", z.dtype, grid, THREADS, (*samples, len(w), *gpu.scalar(value), *room, i, j))
    return i, j

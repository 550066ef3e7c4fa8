"""The first layer from the nonzeros of its input: its output, and the step of its weights.        x (B, F), nonzeros by nonzeros.py

    forward     y = f(x W + b)                       rows r0 .. r1 - 1
    weights     g_ij = sum_b x_bi dy_bj, and Adam    one block of rows i of W, all columns j

W, m and v are in panels (panels.py) of summed_together columns. A batch's nonzeros are stored row by row; `starts` (B, blocks + 1) says
at which place each block of columns begins. The gradient needs them column by column: those of one block are sorted by column first,
which keeps the order of b, and with it every sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.activation import activate
from npae.kernels.step.adam import move_run, moved, rounded
from npae.kernels.step.codes import BLOCK, HEAD, LINEAR
from npae.kernels.step.memory import array_at, fetch, matrix_at, size_of
from npae.kernels.step.nonzeros import gathered, summed, summed_together
from npae.kernels.step.registers import BYTES, SUMMED
from npae.kernels.step.vectors import INT, Vectors, fetch_line, instruction, types

_INT32, _UNSIGNED = np.int32(0), np.uint64  # a place that is known to be >= 0 is not tested for being negative
NEXT = 3  # rows of W from now, which are brought near
LARGE, MANY = 1 << 20, 64  # bytes of a W that is brought near before it is read, by at least so many rows: they read most of it
TOGETHER = 2  # blocks that the forward pass takes at a time: their rows of W stay near, and a row's sums are seldom put aside


@jit(FAST)
def sparse_forward(
    kind: Any,
    indices: int,
    values: int,
    starts: int,
    features: int,
    blocks: int,
    w: int,
    b: int,
    n_out: int,
    y: int,
    y_stride: int,
    activation: int,
    parameter: float,
    r0: int,
    r1: int,
) -> None:
    """y = f(x W + b)"""
    size, begins, width = size_of(kind), matrix_at(0, starts, r1, blocks + 1), summed_together(kind)
    far = size * features * n_out > LARGE and r1 - r0 >= MANY
    each = size * BLOCK * TOGETHER * min(width, n_out) // (r1 - r0) if far else 0  # bytes of the next blocks' W, for each row
    for j in range(0, n_out, width):
        n, panel = min(width, n_out - j), w + size * j * features
        for block in range(0, blocks, TOGETHER):
            soon = panel + size * BLOCK * (block + TOGETHER) * n
            for r in range(r0, r1):
                fetch(soon + each * (r - r0), each)
                place, to = begins[r, block], y + size * (r * y_stride + j)
                count = begins[r, min(block + TOGETHER, blocks)] - place
                start = to if block else b + size * j if activation == LINEAR else 0
                gathered(kind, indices + 4 * place, values + size * place, count, panel, to, n, n, start)
    if activation != LINEAR:
        activate(kind, activation, parameter, y, y_stride, b, r0, r1, n_out)


@jit(FAST)
def _by_column(kind: Any, indices: int, values: int, begins: Array, block: int, ends: Array, rows: Array, found: Array) -> None:
    """The nonzeros of one block column by column: rows and values, those of column j from place j B to ends_j."""
    first, batch = BLOCK * block, len(begins)
    for j in range(len(ends)):
        ends[j] = j * batch
    for r in range(batch):
        place, n = begins[r, block], begins[r, block + 1] - begins[r, block]
        columns, numbers = array_at(_INT32, indices + 4 * place, n), array_at(kind, values + size_of(kind) * place, n)
        for t in range(n):
            column = _UNSIGNED(columns[t] - first)
            slot = _UNSIGNED(ends[column])
            rows[slot] = np.int32(r)
            found[slot] = numbers[t]
            ends[column] += 1


@instruction
def _move(
    context: Any, kind: Any, rows: Any, values: Any, count: Any, dy: Any, dy_stride: Any, w: Any, m: Any, v: Any, numbers: Any
) -> Any:
    """The columns of a whole panel, of one row of W, which lies at w. `numbers` are Adam's."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, rows, values, count, dy, dy_stride, w, m, v, numbers = arguments
        vectors, moments = Vectors(builder, kind), (w, m, v)
        for moment in moments:
            for j in range(SUMMED):
                fetch_line(builder, builder.add(moment, INT(BYTES * (SUMMED * NEXT + j))))
        start: list[Any] = [vectors.zero] * SUMMED
        for j, g in enumerate(summed(vectors, start, [None] * SUMMED, rows, values, count, dy, dy_stride)):
            moved(vectors, g, moments, INT(BYTES * j), None, numbers)
        return context.get_dummy_value()

    return types.void(kind, *[types.int64] * 9), generate


@jit(FAST)
def sparse_weights(
    kind: Any,
    indices: int,
    values: int,
    starts: int,
    blocks: int,
    features: int,
    dy: int,
    dy_stride: int,
    n_out: int,
    w: int,
    m: int,
    v: int,
    block: int,
    batch: int,
    scratch: int,
    rates: Array,
) -> None:
    """BLOCK rows of W, or what there is of them."""
    size, first = size_of(kind), BLOCK * block
    columns, places, width = min(BLOCK, features - first), BLOCK * batch, summed_together(kind)
    g, sorted_to = scratch + HEAD, scratch + HEAD + size * BLOCK * width
    rows, found = sorted_to + 8 * BLOCK, sorted_to + 8 * BLOCK + 4 * places
    ends, begins = array_at(0, sorted_to, columns), matrix_at(0, starts, batch, blocks + 1)
    _by_column(kind, indices, values, begins, block, ends, array_at(_INT32, rows, places), array_at(kind, found, places))
    rounded(kind, rates, 0.0, scratch)
    for j in range(0, n_out, width):
        n = min(width, n_out - j)
        part, dy_j = size * (j * features + first * n), dy + size * j
        if n == width:
            for column in range(columns):
                at, to = column * batch, part + size * column * n
                _move(kind, rows + 4 * at, found + size * at, ends[column] - at, dy_j, dy_stride, w + to, m + to, v + to, scratch)
        else:
            for column in range(columns):
                at = column * batch
                gathered(kind, rows + 4 * at, found + size * at, ends[column] - at, dy_j, g + size * column * n, n, dy_stride, 0)
            move_run(kind, g, w + part, m + part, v + part, columns * n, scratch)

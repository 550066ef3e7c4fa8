"""The first layer from the nonzeros of its input: its output, and the step of its weights.        x (B, F), nonzeros by nonzeros.py

    forward     y = f(x W + b)                       rows r0 .. r1 - 1
    weights     g_ij = sum_b x_bi dy_bj, and Adam    one block of rows i of W, all columns j

W, m and v are in panels (panels.py) of summed_together columns. A batch's nonzeros are stored row by row; `starts` (B, blocks + 1) says
at which place each block of columns begins. The gradient needs them column by column: those of one block are sorted by column first,
which keeps the order of b, and with it every sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.activation import activate
from npae.kernels.step.adam import moved, rounded
from npae.kernels.step.codes import BLOCK, HEAD
from npae.kernels.step.memory import array_at, matrix_at, size_of
from npae.kernels.step.nonzeros import gathered, summed, summed_together
from npae.kernels.step.registers import BYTES, SUMMED
from npae.kernels.step.tile import masks_of
from npae.kernels.step.vectors import INT, Vectors, instruction, types

_INT32, _UNSIGNED = np.int32(0), np.uint64  # a place that is known to be >= 0 is not tested for being negative
NEXT = 3  # rows of W from now, which are brought near
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
    for j in range(0, n_out, width):
        n, panel = min(width, n_out - j), w + size * j * features
        for block in range(0, blocks, TOGETHER):
            for r in range(r0, r1):
                place = begins[r, block]
                count = begins[r, min(block + TOGETHER, blocks)] - place
                gathered(kind, indices + 4 * place, values + size * place, count, panel, y + size * (r * y_stride + j), n, n, block)
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


def _tile(vectors: int, ends: bool) -> Callable[..., Any]:
    """f(kind, rows, values, count, dy, dy_stride, w, m, v, last, numbers): some columns of a row of W, which lie at w."""

    def typed(
        context: Any,
        kind: Any,
        rows: Any,
        values: Any,
        count: Any,
        dy: Any,
        dy_stride: Any,
        w: Any,
        m: Any,
        v: Any,
        last: Any,
        numbers: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, rows, values, count, dy, dy_stride, w, m, v, last, numbers = arguments
            vectors_of, moments = Vectors(builder, kind), (w, m, v)
            masks = masks_of(vectors_of, vectors, last if ends else None)
            for moment in moments:
                for j in range(vectors):
                    vectors_of.fetch(builder.add(moment, INT(BYTES * (vectors * NEXT + j))))
            for j, g in enumerate(summed(vectors_of, [vectors_of.zero] * vectors, masks, rows, values, count, dy, dy_stride)):
                moved(vectors_of, g, moments, INT(BYTES * j), masks[j], numbers)
            return context.get_dummy_value()

        return types.void(kind, *[types.int64] * 10), generate

    return instruction(typed)


_all = _tile(SUMMED, False)
_end4, _end3, _end2, _end1 = (_tile(vectors, True) for vectors in (4, 3, 2, 1))


@jit(FAST)
def _move(kind: Any, rows: int, values: int, count: int, dy: int, dy_stride: int, w: int, m: int, v: int, n: int, numbers: int) -> None:
    """Some columns of a row of W."""
    lanes = BYTES // size_of(kind)
    vectors = (n + lanes - 1) // lanes
    last = n - (vectors - 1) * lanes
    if vectors == SUMMED and last == lanes:
        _all(kind, rows, values, count, dy, dy_stride, w, m, v, last, numbers)
    elif vectors == 4:
        _end4(kind, rows, values, count, dy, dy_stride, w, m, v, last, numbers)
    elif vectors == 3:
        _end3(kind, rows, values, count, dy, dy_stride, w, m, v, last, numbers)
    elif vectors == 2:
        _end2(kind, rows, values, count, dy, dy_stride, w, m, v, last, numbers)
    else:
        _end1(kind, rows, values, count, dy, dy_stride, w, m, v, last, numbers)


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
    sorted_to = scratch + HEAD
    rows, found = sorted_to + 8 * BLOCK, sorted_to + 8 * BLOCK + 4 * places
    ends, begins = array_at(0, sorted_to, columns), matrix_at(0, starts, batch, blocks + 1)
    _by_column(kind, indices, values, begins, block, ends, array_at(_INT32, rows, places), array_at(kind, found, places))
    rounded(kind, rates, 0.0, scratch)
    for j in range(0, n_out, width):
        n = min(width, n_out - j)
        for column in range(columns):
            at, to = column * batch, size * (j * features + (first + column) * n)
            count = ends[column] - at
            _move(kind, rows + 4 * at, found + size * at, count, dy + size * j, dy_stride, w + to, m + to, v + to, n, scratch)

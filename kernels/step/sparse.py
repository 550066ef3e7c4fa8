"""The first layer from the nonzeros of its input: its output, and the step of its weights.        x (B, F), nonzeros by nonzeros.py

    forward     y = f(x W + b)                       rows r0 .. r1 - 1
    weights     g_ij = sum_b x_bi dy_bj, and Adam    one block of rows i of W, all columns j

A batch's nonzeros are stored row by row, (B, F) places each, with the place in the row where each block of columns begins. The gradient
needs them column by column: those of one block are sorted by column first, which keeps the order of b, and with it every sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.activation import activate
from npae.kernels.step.codes import BLOCK
from npae.kernels.step.memory import array_at, matrix_at, size_of
from npae.kernels.step.nonzeros import gathered
from npae.kernels.step.update import adam_tile

_INT32 = np.int32(0)
TOGETHER = 4  # blocks that the forward pass takes at a time: as many rows of W as fit into the first-level cache, one panel wide


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
    size, begins = size_of(kind), matrix_at(0, starts, r1, blocks + 1)
    for r in range(r0, r1):
        row = array_at(kind, y + size * r * y_stride, n_out)
        row[:] = row.dtype.type(0)
    for block in range(0, blocks, TOGETHER):
        for r in range(r0, r1):
            first = begins[r, block]
            place, count = r * features + first, begins[r, min(block + TOGETHER, blocks)] - first
            gathered(kind, indices + 4 * place, values + size * place, count, w, y + size * r * y_stride, n_out, n_out)
    activate(kind, activation, parameter, y, y_stride, b, r0, r1, n_out)


@jit(FAST)
def _by_column(numbers: Array, values: Array, begins: Array, features: int, block: int, counts: Array, rows: Array, found: Array) -> None:
    """The nonzeros of one block column by column: rows and values, those of column j from place j B on."""
    first, batch = BLOCK * block, len(begins)
    counts[:] = 0
    for r in range(batch):
        for place in range(r * features + begins[r, block], r * features + begins[r, block + 1]):
            column = numbers[place] - first
            slot = column * batch + counts[column]
            rows[slot] = r
            found[slot] = values[place]
            counts[column] += 1


@jit(FAST)
def sparse_weights(
    kind: Any,
    indices: int,
    values: int,
    starts: int,
    features: int,
    blocks: int,
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
    decay: float,
) -> float:
    """BLOCK rows of W, or what there is of them."""
    size, first = size_of(kind), BLOCK * block
    columns, places = min(BLOCK, features - first), BLOCK * batch
    rows, found = scratch + 8 * BLOCK, scratch + 8 * BLOCK + 4 * places
    g = found + size * places
    counts, begins = array_at(0, scratch, columns), matrix_at(0, starts, batch, blocks + 1)
    numbers, every = array_at(_INT32, indices, batch * features), array_at(kind, values, batch * features)
    _by_column(numbers, every, begins, features, block, counts, array_at(_INT32, rows, places), array_at(kind, found, places))
    gradient = array_at(kind, g, columns * n_out)
    gradient[:] = gradient.dtype.type(0)
    here = size * first * n_out
    for column in range(columns):
        at = column * batch
        gathered(kind, rows + 4 * at, found + size * at, counts[column], dy, g + size * column * n_out, n_out, dy_stride)
    return adam_tile(kind, g, n_out, w + here, m + here, v + here, n_out, columns, n_out, rates, decay)

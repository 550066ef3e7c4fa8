"""The gradient of a layer's weights, and Adam's step with each tile of it as soon as it is known: the whole gradient is never stored.

    weights     g_ij = sum_b x_bi dy_bj        bias      g_j = sum_b dy_bj        W, m, v: adam.py

`decay` is 2 l2, the slope of l2 sum W^2; the sum of the new W^2 is left in `squares`, one number for each part: it is the next
step's. W, m and v are in panels (panels.py), so those of a tile are one run of memory: while the tile's sums are formed, the run that the
next tile moves is brought near. W^T, which backward reads, is kept up to date.
Addresses in bytes, strides in elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.adam import move_run, moved, rounded
from npae.kernels.step.codes import HEAD, PART_ROWS
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.panels import turn_part, turned_at
from npae.kernels.step.product import LOW, TALL, height, panel_width, product
from npae.kernels.step.registers import BYTES, WIDE
from npae.kernels.step.tile import multiplied, rows_of
from npae.kernels.step.vectors import INT, Vectors, instruction, types


def _tile(rows: int) -> Callable[..., Any]:
    """f(kind, x, dy, w, m, v, to, batch, M, x_stride, dy_stride, numbers): M rows of a whole panel of W, from the address w on.

    A_rk of tile.py is x_kr here. `numbers` are Adam's, and rows from M on are moved in the memory behind them. At `to`, and from there on,
    this tile's place in W^T is brought near."""

    def typed(
        context: Any,
        kind: Any,
        x: Any,
        dy: Any,
        w: Any,
        m: Any,
        v: Any,
        to: Any,
        batch: Any,
        M: Any,
        x_stride: Any,
        dy_stride: Any,
        numbers: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, x, dy, w, m, v, to, batch, M, x_stride, dy_stride, numbers = arguments
            vectors, moments, run = Vectors(builder, kind), (w, m, v), INT(BYTES * WIDE * rows)
            ahead, pace = (*(builder.add(at, run) for at in moments), to), builder.add(builder.sdiv(run, batch), INT(1))
            sums = multiplied(vectors, rows_of(vectors, rows, M), [None] * WIDE, x, dy, batch, INT(1), x_stride, dy_stride, ahead, pace)
            spare = builder.add(numbers, INT(HEAD))
            for r, line in enumerate(sums):
                is_there, down = builder.icmp_signed("<", INT(r), M), INT(BYTES * WIDE * r)
                at = tuple(builder.select(is_there, builder.add(moment, down), spare) for moment in moments)
                for j, g in enumerate(line):
                    moved(vectors, g, at, INT(BYTES * j), None, numbers)
            return context.get_dummy_value()

        return types.void(kind, *[types.int64] * 11), generate

    return instruction(typed)


_tall, _low = _tile(TALL), _tile(LOW)


@jit(FAST)
def _move_whole(
    kind: Any, x: int, dy: int, w: int, m: int, v: int, to: int, batch: int, rows: int, x_stride: int, dy_stride: int, numbers: int
) -> None:
    """Rows of a whole panel."""
    size, i = size_of(kind), 0
    while i < rows:
        left, at = rows - i, BYTES * WIDE * i
        if height(left) == TALL:
            _tall(kind, x + size * i, dy, w + at, m + at, v + at, to + at, batch, left, x_stride, dy_stride, numbers)
            i += TALL
        else:
            _low(kind, x + size * i, dy, w + at, m + at, v + at, to + at, batch, left, x_stride, dy_stride, numbers)
            i += LOW


@jit(FAST)
def squares_of(kind: Any, w: int, rows: int, n: int) -> float:
    """sum w^2 of some whole rows: a row's in W's precision, their sum in float64."""
    total = 0.0
    for r in range(rows):
        row = array_at(kind, w + size_of(kind) * r * n, n)
        of_row = row.dtype.type(0)
        for j in range(n):
            of_row += row[j] * row[j]
        total += np.float64(of_row)
    return total


@jit(FAST)
def update_part(
    kind: Any,
    x: int,
    x_stride: int,
    dy: int,
    dy_stride: int,
    batch: int,
    w: int,
    m: int,
    v: int,
    n_in: int,
    n_out: int,
    turned: int,
    depth: int,
    above: int,
    i: int,
    j: int,
    scratch: int,
    rates: Array,
    decay: float,
) -> float:
    """The part of a panel of W whose first element is W_ij: PART_ROWS rows, or what there is of them."""
    size = size_of(kind)
    rows, n = min(PART_ROWS, n_in - i), min(panel_width(kind), n_out - j)
    at = size * (j * n_in + i * n)
    rounded(kind, rates, decay, scratch)
    x_i, dy_j, w_at, m_at, v_at = x + size * i, dy + size * j, w + at, m + at, v + at
    to = turned_at(kind, turned, i, j, n_in, depth, above) if turned else w_at
    if n == panel_width(kind):
        _move_whole(kind, x_i, dy_j, w_at, m_at, v_at, to, batch, rows, x_stride, dy_stride, scratch)
    else:
        product(kind, x_i, dy_j, scratch + HEAD, rows, n, batch, 1, x_stride, dy_stride, n)
        move_run(kind, scratch + HEAD, w_at, m_at, v_at, rows * n, scratch)
    if turned != 0:
        turn_part(kind, w + at, turned, i, j, rows, n, n_in, depth, above)
    return squares_of(kind, w + at, rows, n) if decay != 0.0 else 0.0


@jit(FAST)
def update_bias(
    kind: Any, dy: int, dy_stride: int, batch: int, b: int, m: int, v: int, n_out: int, scratch: int, rates: Array, decay: float
) -> float:
    """All of b."""
    sums = scratch + HEAD
    g = array_at(kind, sums, n_out)
    g[:] = g.dtype.type(0)
    for r in range(batch):
        row = array_at(kind, dy + size_of(kind) * r * dy_stride, n_out)
        for j in range(n_out):
            g[j] += row[j]
    rounded(kind, rates, decay, scratch)
    move_run(kind, sums, b, m, v, n_out, scratch)
    return squares_of(kind, b, 1, n_out) if decay != 0.0 else 0.0

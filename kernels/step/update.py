"""The gradient of a layer's weights, part by part, and Adam's step with each tile of it while the next is multiplied.

    weights     g_ij = sum_b x_bi dy_bj        bias      g_j = sum_b dy_bj        W, m, v: adam.py

`decay` is 2 l2, the slope of l2 sum W^2; the sum of the new W^2 is left in `squares`, one number for each part: it is the next
step's. W, m and v are in panels (panels.py), so those of a tile are one run of memory, which is brought near while the tile's sums are
formed. Adam divides and takes roots, which leaves room for multiplications, and the other way round: a tile waits, in this thread's
scratch, and is moved vector by vector in the next one's loop. W^T, which backward reads, is kept up to date.
Addresses in bytes, strides in elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.adam import decayed, move_run, moved, rounded
from npae.kernels.step.codes import HEAD, PART_ROWS
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.panels import turn_part, turned_at
from npae.kernels.step.product import LOW, TALL, height, panel_width, product
from npae.kernels.step.registers import BYTES, WIDE
from npae.kernels.step.tile import Meanwhile, multiplied
from npae.kernels.step.vectors import INT, Vectors, instruction, types


def _tile(rows: int) -> Callable[..., Any]:
    """f(kind, x, dy, g, batch, x_stride, dy_stride, w, m, v, to, pace, waiting, every, count, numbers): rows of a whole panel of g.

    A_rk of tile.py is x_kr here: where the tile sticks out, the numbers that follow make rows that nobody uses. Meanwhile `count` vectors
    of g that are known already, the first of them `waiting` vectors before this tile's, are moved, one after every so many k; `numbers`
    are Adam's. w, m, v and `to` are this tile's places in W, m, v and W^T: they are brought near, `pace` bytes with every k."""

    def typed(
        context: Any,
        kind: Any,
        x: Any,
        dy: Any,
        g: Any,
        batch: Any,
        x_stride: Any,
        dy_stride: Any,
        w: Any,
        m: Any,
        v: Any,
        to: Any,
        pace: Any,
        waiting: Any,
        every: Any,
        count: Any,
        numbers: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, x, dy, g, batch, x_stride, dy_stride, w, m, v, to, pace, waiting, every, count, numbers = arguments
            vectors = Vectors(builder, kind)
            back = builder.mul(waiting, INT(BYTES))
            g_first, *moments = (builder.sub(at, back) for at in (g, w, m, v))

            def move(place: Any) -> None:
                slope = decayed(vectors, vectors.load(g_first, place), moments[0], place, None, numbers)
                moved(vectors, slope, moments, place, None, numbers)

            beside = Meanwhile([w, m, v, to], pace, every, count, move)
            every_row, starts, masks = [INT(r) for r in range(rows)], [vectors.zero] * WIDE, [None] * WIDE
            sums = multiplied(vectors, every_row, masks, x, dy, batch, INT(1), x_stride, dy_stride, starts, beside)
            for r, line in enumerate(sums):
                for j, total in enumerate(line):
                    vectors.store(total, g, INT(ROW * r + BYTES * j))
            return context.get_dummy_value()

        return types.void(kind, *[types.int64] * 15), generate

    return instruction(typed)


_tall, _low = _tile(TALL), _tile(LOW)
ROW = BYTES * WIDE  # bytes of a row of a whole panel


@jit(FAST)
def _move_whole(
    kind: Any,
    x: int,
    dy: int,
    w: int,
    m: int,
    v: int,
    to: int,
    batch: int,
    rows: int,
    x_stride: int,
    dy_stride: int,
    scratch: int,
) -> None:
    """Rows of a whole panel; those of a tile are moved while the next ones are multiplied."""
    size, g, pace = size_of(kind), scratch + HEAD, TALL * ROW // batch + 1
    i, waiting, count, every = 0, 0, 0, 0
    while i < rows:
        left, at = rows - i, ROW * i
        if count != min(waiting, batch):
            count = min(waiting, batch)
            every = batch // count
        x_i, g_i, w_i, m_i, v_i, to_i = x + size * i, g + at, w + at, m + at, v + at, to + at
        if height(left) == TALL:
            _tall(kind, x_i, dy, g_i, batch, x_stride, dy_stride, w_i, m_i, v_i, to_i, pace, waiting, every, count, scratch)
            made = min(TALL, left)
        else:
            _low(kind, x_i, dy, g_i, batch, x_stride, dy_stride, w_i, m_i, v_i, to_i, pace, waiting, every, count, scratch)
            made = min(LOW, left)
        i += made
        waiting += WIDE * made - count
    at = ROW * rows - BYTES * waiting
    move_run(kind, g + at, w + at, m + at, v + at, BYTES * waiting // size, scratch)


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

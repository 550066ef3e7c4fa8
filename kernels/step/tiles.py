"""What the operations that move the parameters do: each handler reads its fields in the order of operations.py."""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, entry_point
from npae.kernels.step.codes import BATCH, MOMENT, OF_A_STEP, PART_ROWS, RATES, SCRATCH
from npae.kernels.step.memory import array_at
from npae.kernels.step.product import panel_width
from npae.kernels.step.sparse import sparse_weights
from npae.kernels.step.table import FLOATS, INTS
from npae.kernels.step.update import update_bias, update_part


@entry_point(FAST)
def weights(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """the part of W that begins with row lo and column hi"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    moment = array_at(0, now, MOMENT)
    batch, scratch, moving = moment[BATCH], moment[SCRATCH], array_at(0.0, moment[RATES], OF_A_STEP)
    x, x_stride, n_in, dy, dy_stride, n_out, w, m, v, turned, depth, above, squares = (
        f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11], f[12], f[13],
    )  # fmt: skip
    total = update_part(
        kind, x, x_stride, dy, dy_stride, batch, w, m, v, n_in, n_out, turned, depth, above, lo, hi, scratch, moving, numbers[0]
    )
    if squares:
        place = hi // panel_width(kind) * ((n_in + PART_ROWS - 1) // PART_ROWS) + lo // PART_ROWS
        array_at(0.0, squares, place + 1)[place] = total


@entry_point(FAST)
def sparse_weights_of_block(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """one block of rows of W, from the nonzeros of x"""
    f = array_at(0, op, INTS)
    moment = array_at(0, now, MOMENT)
    batch, scratch, moving = moment[BATCH], moment[SCRATCH], array_at(0.0, moment[RATES], OF_A_STEP)
    sparse_weights(kind, f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], lo, batch, scratch, moving)


@entry_point(FAST)
def bias(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """all of b"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    moment = array_at(0, now, MOMENT)
    moving = array_at(0.0, moment[RATES], OF_A_STEP)
    total = update_bias(kind, f[1], f[2], moment[BATCH], f[4], f[5], f[6], f[3], moment[SCRATCH], moving, numbers[0])
    if f[7]:
        array_at(0.0, f[7], 1)[0] = total

"""What the operations that move the parameters do: each handler reads its fields in the order of operations.py."""

from __future__ import annotations

from typing import Any

from npae.kernels.step.codes import BATCH, MOMENT, OF_A_STEP, RATES, SCRATCH
from npae.kernels.step.handler import handler
from npae.kernels.step.memory import array_at
from npae.kernels.step.operations import FLOATS, INTS
from npae.kernels.step.sparse import sparse_weights
from npae.kernels.step.update import update_bias, update_weights


@handler
def weights(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """rows lo .. hi - 1 of W"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    moment = array_at(0, now, MOMENT)
    batch, scratch, moving = moment[BATCH], moment[SCRATCH], array_at(0.0, moment[RATES], OF_A_STEP)
    total = update_weights(kind, f[1], f[2], f[3], f[4], batch, f[6], f[7], f[8], f[5], f[9], f[10], lo, hi, scratch, moving, numbers[0])
    if f[11]:
        place = lo // f[12]
        array_at(0.0, f[11], place + 1)[place] = total


@handler
def sparse_weights_of_block(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """one block of rows of W, from the nonzeros of x"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    moment = array_at(0, now, MOMENT)
    batch, scratch, moving = moment[BATCH], moment[SCRATCH], array_at(0.0, moment[RATES], OF_A_STEP)
    total = sparse_weights(kind, f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11], lo, batch, scratch, moving, numbers[0])
    if f[12]:
        array_at(0.0, f[12], lo + 1)[lo] = total


@handler
def bias(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """all of b"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    moment = array_at(0, now, MOMENT)
    moving = array_at(0.0, moment[RATES], OF_A_STEP)
    total = update_bias(kind, f[1], f[2], moment[BATCH], f[4], f[5], f[6], f[3], moment[SCRATCH], moving, numbers[0])
    if f[7]:
        array_at(0.0, f[7], 1)[0] = total

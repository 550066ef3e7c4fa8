"""Products with a matrix of which most elements are zero, such as a batch of images:  C_j = s_j + sum_t value_t B[index_t, j]

    scattered(kind, indices, values, count, x, n)                  a row from its nonzeros
    gathered(kind, indices, values, count, b, c, N, ldb, start)    C_j, j < N <= summed_together, from `count` nonzeros; s_j lies at
                                                                   start + j, which may be C itself, or is 0 where start is 0

The sum runs over the nonzeros in order, as fused multiply-adds. What is left out would have added exactly 0, so that the result is that of
tile.py to the last bit. indices are int32; addresses in bytes, strides in elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from npae.kernels.jit import FAST, jit
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.registers import BYTES, SUMMED
from npae.kernels.step.tile import masks_of, starts_of
from npae.kernels.step.vectors import INT, Vectors, instruction, types

_INDEX, _INT32, _UNSIGNED = ir.IntType(32), np.int32(0), np.uint64  # a place that is known to be >= 0 is not tested for being negative


@jit(FAST)
def scattered(kind: Any, indices: int, values: int, count: int, x: int, n: int) -> None:
    """x (n,) from its nonzeros"""
    row, places, numbers = array_at(kind, x, n), array_at(_INT32, indices, count), array_at(kind, values, count)
    row[:] = row.dtype.type(0)
    for t in range(count):
        row[_UNSIGNED(places[t])] = numbers[t]


def _tile(vectors: int, ends: bool) -> Callable[..., Any]:
    """The intrinsic f(kind, indices, values, count, b, c, ldb, start, last) for so many vectors, `last` lanes of the last."""

    def typed(context: Any, kind: Any, indices: Any, values: Any, count: Any, b: Any, c: Any, ldb: Any, start: Any, last: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, indices, values, count, b, c, ldb, start, last = arguments
            v = Vectors(builder, kind)
            masks = masks_of(v, vectors, last if ends else None)
            starts = starts_of(v, masks, start, c)
            for j, total in enumerate(_summed(v, starts, masks, indices, values, count, b, ldb)):
                v.store(total, c, INT(BYTES * j), masks[j])
            return context.get_dummy_value()

        return types.void(kind, *[types.int64] * 8), generate

    return instruction(typed)


def _summed(v: Vectors, starts: list[Any], masks: list[Any], indices: Any, values: Any, count: Any, b: Any, ldb: Any) -> list[Any]:
    """The vectors of C, from those that they start with."""
    build = v.builder
    before, loop, after = build.block, build.append_basic_block("t"), build.append_basic_block("end")
    build.cbranch(build.icmp_signed("<", INT(0), count), loop, after)
    build.position_at_end(loop)
    t, sums = build.phi(INT), [build.phi(v.type) for _ in masks]
    t.add_incoming(INT(0), before)
    index = build.load(v.pointer(indices, build.mul(t, INT(4))), typ=_INDEX, align=4)
    row = build.add(b, v.bytes(build.mul(build.sext(index, INT), ldb)))
    factor = v.spread(values, v.bytes(t))
    totals = []
    for j, mask in enumerate(masks):
        sums[j].add_incoming(starts[j], before)
        totals.append(v.fma(factor, v.load(row, INT(BYTES * j), mask), sums[j]))
        sums[j].add_incoming(totals[j], loop)
    following = build.add(t, INT(1))
    t.add_incoming(following, loop)
    build.cbranch(build.icmp_signed("<", following, count), loop, after)
    build.position_at_end(after)
    for j, total in enumerate(totals):
        totals[j] = build.phi(v.type)
        totals[j].add_incoming(starts[j], before)
        totals[j].add_incoming(total, loop)
    return totals


_all = _tile(SUMMED, False)
_end4, _end3, _end2, _end1 = (_tile(vectors, True) for vectors in (4, 3, 2, 1))


@jit(FAST)
def summed_together(kind: Any) -> int:
    """Columns that `gathered` sums in registers."""
    columns: int = SUMMED * BYTES // size_of(kind)
    return columns


@jit(FAST)
def gathered(kind: Any, indices: int, values: int, count: int, b: int, c: int, N: int, ldb: int, start: int) -> None:
    """C_j = s_j + sum_t value_t B[index_t, j]"""
    lanes = BYTES // size_of(kind)
    vectors = (N + lanes - 1) // lanes
    last = N - (vectors - 1) * lanes
    if vectors == SUMMED and last == lanes:
        _all(kind, indices, values, count, b, c, ldb, start, last)
    elif vectors == 4:
        _end4(kind, indices, values, count, b, c, ldb, start, last)
    elif vectors == 3:
        _end3(kind, indices, values, count, b, c, ldb, start, last)
    elif vectors == 2:
        _end2(kind, indices, values, count, b, c, ldb, start, last)
    else:
        _end1(kind, indices, values, count, b, c, ldb, start, last)

"""The nonzeros of a data set: counted row by row, and then written one behind the other.        x (rows, n)

    count_nonzeros(kind, x, n, counts, r0, r1)                  counts_r
    nonzeros_of_rows(kind, x, n, block, bounds, indices, ...)   those of row r from place bounds_r to bounds_r+1, in order, and where among
                                                                them each block of columns begins: starts (rows, n_blocks + 1)

For some of the rows, r0 .. r1 - 1: threads share them out. NaN is not zero. All are addresses; indices are int32, counts, bounds and starts
int64. A vector is compared at a time, and what it holds is taken bit by bit: in an image most vectors hold nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from npae.kernels.jit import STRICT, entry_point
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.registers import BYTES
from npae.kernels.step.vectors import INT, Vectors, instruction, types

_INT32 = np.int32(0)


@instruction
def _lanes_that_count(context: Any, kind: Any, address: Any, n: Any) -> Any:
    """A bit for each number of the vector there, or for the first n of them, that is not zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        v = Vectors(builder, kind)
        numbers = v.load(arguments[1], INT(0), v.first(arguments[2]))
        differ = builder.fcmp_unordered("!=", numbers, v.zero)  # NaN counts
        return builder.zext(builder.bitcast(differ, ir.IntType(v.lanes)), INT)

    return types.int64(kind, types.int64, types.int64), generate


@instruction
def _lowest(context: Any, bits: Any) -> Any:
    """Which is the lowest bit that is set; one is."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(types.int64), generate


@entry_point(STRICT)
def count_nonzeros(kind: Any, x: int, n: int, counts: int, r0: int, r1: int) -> None:
    """How many there are in each of some rows."""
    found = array_at(0, counts, r1)
    for r in range(r0, r1):
        row = array_at(kind, x + size_of(kind) * r * n, n)
        zero, count = row.dtype.type(0), np.int32(0)
        for j in range(n):
            count += np.int32(row[j] != zero)
        found[r] = count


@entry_point(STRICT)
def nonzeros_of_rows(kind: Any, x: int, n: int, block: int, bounds: int, indices: int, values: int, starts: int, r0: int, r1: int) -> None:
    """Those of row r from place bounds_r on, and where among them each block of columns begins; some rows."""
    size, blocks, begins = size_of(kind), (n + block - 1) // block, array_at(0, bounds, r1 + 1)
    for r in range(r0, r1):
        row, place, count, found = array_at(kind, x + size * r * n, n), begins[r], begins[r + 1] - begins[r], 0
        index, value = array_at(_INT32, indices + 4 * place, count), array_at(kind, values + size * place, count)
        start = array_at(0, starts + 8 * (blocks + 1) * r, blocks + 1)
        for b in range(blocks):
            start[b], first, last = found, b * block, min((b + 1) * block, n)
            while first < last:
                lanes = _lanes_that_count(kind, x + size * (r * n + first), last - first)
                while lanes != 0:
                    j = first + _lowest(lanes)
                    index[found] = j
                    value[found] = row[j]
                    found += 1
                    lanes &= lanes - 1
                first += BYTES // size
        start[blocks] = found

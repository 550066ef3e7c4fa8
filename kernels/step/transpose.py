"""The transpose of a matrix, in blocks of lanes x lanes that are turned in registers:  to_ji = from_ij        i < rows, j < columns

A block is read in fours, four numbers of a row each, those of the rows b, 4 + b, 8 + b, ... side by side: so that of the rounds in which
vectors exchange halves of h lanes, h = lanes/2, ..., 2, 1, memory has done all but the last two. What is left on the right and below is
copied one number at a time. Addresses in bytes, strides in elements.
"""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, jit
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.registers import BYTES
from npae.kernels.step.vectors import INT, Vectors, instruction, types


@instruction
def _block(context: Any, kind: Any, source: Any, source_stride: Any, target: Any, target_stride: Any) -> Any:
    """One block."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, start, stride, to, to_stride = arguments
        v = Vectors(builder, kind)
        offsets = [v.bytes(builder.mul(stride, INT(i))) for i in range(v.lanes)]
        rows = [v.load_fours(start, [builder.add(o, INT(v.size * (i - i % 4))) for o in offsets[i % 4 :: 4]]) for i in range(v.lanes)]
        for half in (2, 1):
            low = [j if not j & half else v.lanes + j - half for j in range(v.lanes)]
            high = [j + half if not j & half else v.lanes + j for j in range(v.lanes)]
            for i in range(v.lanes):
                if not i & half:
                    x, y = rows[i], rows[i + half]
                    rows[i], rows[i + half] = v.shuffle(x, y, low), v.shuffle(x, y, high)
        for i, row in enumerate(rows):
            v.store(row, to, v.bytes(builder.mul(to_stride, INT(i))))
        return context.get_dummy_value()

    return types.void(kind, *[types.int64] * 4), generate


@jit(FAST)
def transpose(kind: float, source: int, source_stride: int, target: int, target_stride: int, rows: int, columns: int) -> None:
    """target (columns, rows) = source (rows, columns) turned."""
    size = size_of(kind)
    lanes = BYTES // size
    whole_rows, whole_columns = rows // lanes * lanes, columns // lanes * lanes
    for i in range(0, whole_rows, lanes):
        for j in range(0, whole_columns, lanes):
            _block(kind, source + size * (i * source_stride + j), source_stride, target + size * (j * target_stride + i), target_stride)
    for i in range(rows):
        line = array_at(kind, source + size * i * source_stride, columns)
        for j in range(whole_columns if i < whole_rows else 0, columns):
            array_at(kind, target + size * (j * target_stride + i), 1)[0] = line[j]

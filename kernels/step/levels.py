"""The nonzeros of 8-bit images in three bytes each: a column in 16 bits and a grey level in 8;  value = level / 255, as images are read.

    levels_of(kind, values, levels, wrong, first, last)           some of the levels; `wrong` becomes 1 where a value is not such a number
    written_out(kind, columns, levels, count, indices, values)    int32 indices and values again, to the last bit

A batch's nonzeros lie anywhere in the data, and a step waits for them: three bytes come sooner than eight. All are addresses.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import STRICT, entry_point, jit
from npae.kernels.step.memory import array_at

WHITE = 255
_COLUMN, _LEVEL, _INT32 = np.uint16(0), np.uint8(0), np.int32(0)


@entry_point(STRICT)
def levels_of(kind: Any, values: int, levels: int, wrong: int, first: int, last: int) -> None:
    """Those of values first .. last - 1."""
    numbers, written, bad = array_at(kind, values, last), array_at(_LEVEL, levels, last), _INT32
    white, half = numbers.dtype.type(WHITE), numbers.dtype.type(0.5)
    for t in range(first, last):
        value = numbers[t]
        level = np.int32(value * white + half) if 0 < value <= 1 else _INT32  # neither for NaN
        written[t] = level
        bad += np.int32(numbers.dtype.type(level) / white != value)
    if bad != 0:
        array_at(0, wrong, 1)[0] = 1


@jit(STRICT)
def written_out(kind: Any, columns: int, levels: int, count: int, indices: int, values: int) -> None:
    """A division is rounded as it was when the image was read; a multiplication by 1/255 would not be."""
    narrow, wide = array_at(_COLUMN, columns, count), array_at(_INT32, indices, count)
    for t in range(count):
        wide[t] = narrow[t]
    grey, numbers = array_at(_LEVEL, levels, count), array_at(kind, values, count)
    white = numbers.dtype.type(WHITE)
    for t in range(count):
        numbers[t] = numbers.dtype.type(np.int32(grey[t])) / white

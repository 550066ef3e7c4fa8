"""The nonzeros of a data set, found once: a step takes those of its rows.

    density(data)        nonzeros of all numbers, in some of the rows
    Nonzeros(data)       bounds (N + 1,): where a row begins;  index, value;  starts (N, blocks + 1): where a block of columns does

An index is int32 and a value of the data's dtype, 8 bytes in float32. Where every value is a whole number of 255ths, as in images, they are
uint16 and uint8 (`in_levels`; npae/kernels/step/levels.py): for MNIST 27 MB beside the 188 of the data.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from npae.backend import Array
from npae.compiled.buffers import address
from npae.kernels.step.codes import AT_A_TIME, BLOCK
from npae.kernels.threads import share, threads_for

LOOKED_AT = 1000  # rows
COLUMNS = 2**16  # that an index of 16 bits can tell apart


class Nonzeros:
    """Row by row, each row in the order of its columns."""

    def __init__(self, data: Array) -> None:
        from npae.kernels.step.entries import COUNT_NONZEROS, NONZEROS_OF_ROWS  # loads LLVM, which --help can do without

        (n, features), kind, x = data.shape, data.dtype.name, address(data)
        self.blocks, self.bounds = -(-features // BLOCK), np.zeros(n + 1, np.int64)
        _in_parts(data, lambda r0, r1: COUNT_NONZEROS(kind, x, features, address(self.bounds[1:]), r0, r1))
        np.cumsum(self.bounds, out=self.bounds)
        count = int(self.bounds[-1])
        self.index: Array = np.empty(count, np.int32)
        self.value: Array = np.empty(count, data.dtype)
        self.starts = np.empty((n, self.blocks + 1), np.int64)
        places = (address(self.bounds), address(self.index), address(self.value), address(self.starts))
        _in_parts(data, lambda r0, r1: NONZEROS_OF_ROWS(kind, x, features, BLOCK, *places, r0, r1))
        levels = self._levels() if features <= COLUMNS else None
        self.in_levels = levels is not None
        if levels is not None:
            index: Array = np.zeros(len(levels), np.uint16)
            index[:count] = self.index
            self.index, self.value = index, levels

    def _levels(self) -> Array | None:
        """The values in 255ths, and AT_A_TIME zeros, if all of them are whole ones."""
        from npae.kernels.step.entries import LEVELS_OF

        levels, wrong = np.zeros(len(self.value) + AT_A_TIME, np.uint8), np.zeros(1, np.int64)
        kind, places = self.value.dtype.name, (address(self.value), address(levels), address(wrong))
        _in_parts(self.value, lambda first, last: LEVELS_OF(kind, *places, first, last))
        return None if wrong[0] else levels

    @property
    def fields(self) -> tuple[int, int, int, int, int]:
        """Of the operation that takes a batch: bounds, index, value, starts, in_levels."""
        return address(self.bounds), address(self.index), address(self.value), address(self.starts), int(self.in_levels)


def _in_parts(data: Array, part: Callable[[int, int], None]) -> None:
    """part(r0, r1) for all rows, some of them on each thread."""
    rows, threads = len(data), threads_for(data.size)
    share(threads, lambda k: part(rows * k // threads, rows * (k + 1) // threads))


def density(data: Array) -> float:
    """Nonzeros of all numbers, in some of the rows."""
    some = data[:: max(1, len(data) // LOOKED_AT)]
    return float(np.count_nonzero(some)) / max(1, some.size)

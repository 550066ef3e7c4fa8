"""The memory of a compiled step: arrays by name, each on cache lines of its own.

    buffers.numbers("h", rows, columns)     address of an array of the model's dtype
    totals, integers, indices               of float64, int64, int32

Some numbers more than asked for lie behind each, for vectors that stick out. Everything lives as long as the Buffers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.backend import Array

LINE = 64  # bytes


class Buffers:
    """Named arrays, and their addresses."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.arrays: dict[str, Array] = {}

    def array(self, name: str, count: int, dtype: Any) -> Array:
        """A new array of zeros, (count,)."""
        size = np.dtype(dtype).itemsize
        raw = np.zeros((count + 1) * size + 2 * LINE, np.uint8)
        start = -raw.ctypes.data % LINE
        self.arrays[name] = raw[start : start + count * size].view(dtype)
        return self.arrays[name]

    def numbers(self, name: str, rows: int, columns: int = 1) -> int:
        """Of the model's dtype."""
        return address(self.array(name, rows * columns, self.dtype))

    def totals(self, name: str, count: int) -> int:
        """In float64."""
        return address(self.array(name, count, np.float64))

    def integers(self, name: str, rows: int, columns: int = 1) -> int:
        """In int64."""
        return address(self.array(name, rows * columns, np.int64))

    def indices(self, name: str, rows: int, columns: int) -> int:
        """In int32."""
        return address(self.array(name, rows * columns, np.int32))


def on_lines(width: int, item: int) -> int:
    """How far apart rows of so many numbers begin that are read here and there: each on a cache line of its own, an odd number of lines
    apart where they would not be so by themselves, or every other row would fall on the same few sets of the cache."""
    lines = -(-width * item // LINE)
    return width if width * item % LINE == 0 else (lines | 1) * LINE // item


def address(array: Array) -> int:
    """Where its first element lies."""
    where: int = array.ctypes.data
    return where

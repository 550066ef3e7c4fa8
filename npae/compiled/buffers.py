"""The memory of a compiled step: arrays by name, each on cache lines of its own.

    buffers.numbers("h", rows, columns)     address of an array of the model's dtype
    totals, integers, indices               of float64, int64, int32

Some numbers more than asked for lie behind each, for vectors that stick out. Everything lives as long as the Buffers.

They lie in regions for which the system is asked to use large pages (2 MB). Where small ones fall in the second-level cache is chance: of
the same run of steps of adcme-vae, started again, one took 5.0 ms a step and another 6.4.
"""

from __future__ import annotations

import contextlib
import mmap
from typing import Any

import numpy as np

from npae.backend import Array

LINE = 64  # bytes
PAGE = 2 * 1024 * 1024
REGION = 16 * PAGE  # at least; what nobody has written to takes no memory


class Buffers:
    """Named arrays, and their addresses."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.arrays: dict[str, Array] = {}
        self._region, self._taken = np.zeros(0, np.uint8), 0

    def array(self, name: str, count: int, dtype: Any) -> Array:
        """A new array of zeros, (count,)."""
        size = np.dtype(dtype).itemsize
        room = ((count + 1) * size // LINE + 2) * LINE
        if self._taken + room > len(self._region):
            self._region, self._taken = _zeros_in_large_pages(max(room, REGION)), 0
        self.arrays[name] = self._region[self._taken : self._taken + count * size].view(dtype)
        self._taken += room
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


def _zeros_in_large_pages(size: int) -> Array:
    """So many bytes, or some more, on a border of pages."""
    room = (-(-size // PAGE) + 1) * PAGE
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    try:
        memory = mmap.mmap(-1, room, **private)
    except OSError:
        raise MemoryError(f"no {room} bytes for a training step") from None
    with contextlib.suppress(AttributeError, OSError):  # where the system has none
        memory.madvise(mmap.MADV_HUGEPAGE)
    bytes_there: Array = np.frombuffer(memory, np.uint8)
    first = -bytes_there.ctypes.data % PAGE
    return bytes_there[first : first + room - PAGE]


def on_lines(width: int, item: int) -> int:
    """How far apart rows of so many numbers begin that are read here and there: each on a cache line of its own, and an odd number of
    lines apart, or every other row would fall on the same few sets of the cache."""
    return (-(-width * item // LINE) | 1) * LINE // item


def address(array: Array) -> int:
    """Where its first element lies."""
    where: int = array.ctypes.data
    return where

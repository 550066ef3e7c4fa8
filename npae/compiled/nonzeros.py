"""The nonzeros of a data set, found once: a step takes those of its rows.

    share(data)          of some of the rows
    Nonzeros(data)       bounds (N + 1,): where a row begins;  index int32, value;  starts (N, blocks + 1): where a block of columns does

8 bytes a nonzero in float32: for MNIST 73 MB beside the 188 of the data.
"""

from __future__ import annotations

import numpy as np

from npae.backend import Array
from npae.compiled.buffers import address
from npae.kernels.step.codes import BLOCK

LOOKED_AT = 1000  # rows


class Nonzeros:
    """Row by row, each row in the order of its columns."""

    def __init__(self, data: Array) -> None:
        from npae.kernels.step.nonzeros import nonzeros_of_rows

        self.blocks = -(-data.shape[1] // BLOCK)
        self.bounds = np.concatenate([[0], np.cumsum(np.count_nonzero(data, axis=1))]).astype(np.int64)
        count = int(self.bounds[-1]) + 1  # one place more: see the kernel
        self.index, self.value = np.empty(count, np.int32), np.empty(count, data.dtype)
        self.starts = np.empty((len(data), self.blocks + 1), np.int64)
        nonzeros_of_rows(data, BLOCK, self.bounds, self.index, self.value, self.starts)

    @property
    def addresses(self) -> tuple[int, int, int, int]:
        """bounds, index, value, starts"""
        return address(self.bounds), address(self.index), address(self.value), address(self.starts)


def share(data: Array) -> float:
    """Nonzeros of all numbers, in some of the rows."""
    some = data[:: max(1, len(data) // LOOKED_AT)]
    return float(np.count_nonzero(some)) / max(1, some.size)

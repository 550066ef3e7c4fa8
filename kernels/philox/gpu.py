"""Philox4x32-10, a thread for each block of four words; `step` may lie on the device.        rows (B,) int64        out (B, C)"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import MOST_BLOCKS, blocks
from npae.kernels.kernel import Array
from npae.kernels.philox.reference import LOW

THREADS = 128
MOST = 8 * MOST_BLOCKS  # blocks of them; a thread then draws more than four numbers


def philox_bits(seed: int, stream: int, step: Any, rows: Array, out: Array) -> None:
    """out (B, C) uint32: all 32 bits."""
    _draw("philox_bits", "float32", seed, stream, step, rows, out)


def philox_uniform(seed: int, stream: int, step: Any, rows: Array, out: Array) -> None:
    """out (B, C): the upper 24 bits of each word, times 2^-24."""
    _draw("philox_uniform", out.dtype, seed, stream, step, rows, out)


def philox_normal(seed: int, stream: int, step: Any, rows: Array, out: Array) -> None:
    """out (B, C): Box-Muller on each pair of columns."""
    _draw("philox_normal", out.dtype, seed, stream, step, rows, out)


def _draw(kernel: str, real: Any, seed: int, stream: int, step: Any, rows: Array, out: Array) -> None:
    gpu, columns = current(), out.shape[1]
    grid = min(blocks(len(rows) * blocks(columns, 4), THREADS), MOST)
    key = (np.uint32(seed & LOW), np.uint32(seed >> 32))
    arguments = (*key, np.uint32(stream), *gpu.whole(step), rows, out, len(rows), columns)
    gpu.launch("philox/philox.cu", kernel, real, grid, THREADS, arguments)

"""Each product with what stands around it in one launch.        x (B, I)   W (I, O)   b (O,)   y dy (B, O)        matmul (M, K) (K, N)

A block makes one tile of the output. Large tiles where there are enough of them to fill a GPU; small ones otherwise, whose warps share the
K products. Sizes of tiles, stages and shared memory are those of dense.cu.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import blocks
from npae.kernels.dense.operands import by_address, code, derivative, layouts
from npae.kernels.kernel import Array

ENOUGH = 96  # large tiles: of the 132 multiprocessors of an H100 most have one
SMALL, MOST_WARPS = 16, 9  # nine warps' stages fit in the 48 KiB that every GPU gives a block


def matmul(a: Array, b: Array, out: Array, accumulate: bool) -> None:
    """out (+)= a b"""
    by_columns = layouts(a, b, out)
    a, b = (array.T if turned else array for array, turned in zip((a, b), by_columns, strict=True))
    k = a.shape[0] if by_columns[0] else a.shape[1]
    _launch("matmul", out.shape, k, out.dtype, (a, b, out, *out.shape, k, *by_columns, accumulate))


def affine(x: Array, W: Array, b: Array, activation: str, parameter: float, y: Array) -> None:
    """y = f(x W + b)"""
    f = code(activation)
    by_address(y, x, W, b)
    _launch("affine", y.shape, x.shape[1], y.dtype, (x, W, b, f, float(parameter), y, *y.shape, x.shape[1]))


def affine_data_gradient(dy: Array, W: Array, activation: str, parameter: float, y: Array, dx: Array, accumulate: bool) -> None:
    """dx = (dy W^T) o f', or (dx + dy W^T) o f'"""
    f = derivative(activation, parameter)
    by_address(dx, dy, W, y)
    arguments = (dy, W, f, float(parameter), y, dx, accumulate, *dx.shape, dy.shape[1])
    _launch("affine_data_gradient", dx.shape, dy.shape[1], dx.dtype, arguments)


def affine_weight_gradient(x: Array, dy: Array, dW: Array, db: Array) -> None:
    """dW += x^T dy        db += sum_B dy"""
    by_address(dW, x, dy, db)
    n_in, n_out = dW.shape
    _launch("affine_weight_gradient", (n_in + 1, n_out), len(x), dW.dtype, (x, dy, dW, db, n_in, n_out, len(x)))


def _launch(kernel: str, shape: tuple[int, ...], k: int, dtype: Any, arguments: tuple[Any, ...]) -> None:
    """A product of that shape, each element a sum over k, by tiles of the size that suits it."""
    (m, n), size = shape, np.dtype(dtype).itemsize
    rows, columns = 512 // size, 64
    tiles = blocks(m, rows) * blocks(n, columns)
    if tiles >= ENOUGH and min(m, n) > columns // 2:
        current().launch("dense/dense.cu", f"{kernel}_large", dtype, tiles, 256, arguments, shared=rows * columns * size)
        return
    depth = 128 // size
    stages = blocks(k, depth)
    warps = blocks(stages, blocks(stages, MOST_WARPS))
    tiles, stage = blocks(m, SMALL) * blocks(n, SMALL), depth * (2 * SMALL + 32 // size)
    current().launch("dense/dense.cu", kernel, dtype, tiles, 32 * warps, arguments, shared=warps * stage * size)

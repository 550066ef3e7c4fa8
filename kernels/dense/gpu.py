"""Each product with what stands around it in one launch.        x (B, I)   W (I, O)   b (O,)   y dy (B, O)        matmul (M, K) (K, N)

A block makes one tile of the output. Large tiles where there are enough of them to fill a GPU; small ones otherwise, whose warps share the
K products. Sizes of tiles, stages and shared memory are those of
product.cuh.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import THREADS, blocks
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


def heads(x: Array, W: Array, b: Array, y: Array, W2: Array, b2: Array, y2: Array) -> None:
    """y = x W + b        y2 = x W2 + b2"""
    by_address(y, x, W, b, W2, b2, y2)
    k, size = x.shape[1], y.itemsize
    if _is_large(y.shape, size) or _is_large(y2.shape, size):  # a launch is then the least of it
        affine(x, W, b, "linear", 0.0, y)
        affine(x, W2, b2, "linear", 0.0, y2)
        return
    tiles = _small_tiles(y.shape)
    arguments = (x, W, b, y, y.shape[1], W2, b2, y2, y2.shape[1], len(x), k, tiles)
    _launch_small("heads", tiles + _small_tiles(y2.shape), _warps(k, size), y.dtype, arguments)


def affine_data_gradient(dy: Array, W: Array, activation: str, parameter: float, y: Array, dx: Array, accumulate: bool) -> None:
    """dx = (dy W^T) o f', or (dx + dy W^T) o f'"""
    f = derivative(activation, parameter)
    by_address(dx, dy, W, y)
    arguments = (dy, W, f, float(parameter), y, dx, accumulate, *dx.shape, dy.shape[1])
    _launch("affine_data_gradient", dx.shape, dy.shape[1], dx.dtype, arguments)


def heads_data_gradient(dy: Array, W: Array, dy2: Array, W2: Array, activation: str, parameter: float, y: Array, dx: Array) -> None:
    """dx = (dy W^T + dy2 W2^T) o f'"""
    f = derivative(activation, parameter)
    by_address(dx, dy, W, dy2, W2, y)
    k, k2 = dy.shape[1], dy2.shape[1]
    if _is_large(dx.shape, dx.itemsize):  # a launch is then the least of it
        affine_data_gradient(dy, W, "linear", 0.0, y, dx, False)
        affine_data_gradient(dy2, W2, activation, parameter, y, dx, True)
        return
    each = min(_warps(max(k, k2), dx.itemsize), MOST_WARPS // 2)
    arguments = (dy, W, k, dy2, W2, k2, f, float(parameter), y, dx, *dx.shape)
    _launch_small("heads_data_gradient", _small_tiles(dx.shape), 2 * each, dx.dtype, arguments)


def activation_gradient(dy: Array, activation: str, parameter: float, y: Array, dx: Array) -> None:
    """dx = dy o f'"""
    f = derivative(activation, parameter)
    by_address(dx, dy, y)
    grid = blocks(dx.size, THREADS * 16 // dx.itemsize)
    arguments = (dy, f, float(parameter), y, dx, dx.size)
    current().launch("dense/dense.cu", "activation_gradient", dx.dtype, grid, THREADS, arguments)


def affine_weight_gradient(x: Array, dy: Array, dW: Array, db: Array) -> None:
    """dW += x^T dy        db += sum_B dy"""
    by_address(dW, x, dy, db)
    n_in, n_out = dW.shape
    _launch("affine_weight_gradient", (n_in + 1, n_out), len(x), dW.dtype, (x, dy, dW, db, n_in, n_out, len(x)))


def _launch(kernel: str, shape: tuple[int, ...], k: int, dtype: Any, arguments: tuple[Any, ...]) -> None:
    """A product of that shape, each element a sum over k, by tiles of the size that suits it."""
    size = np.dtype(dtype).itemsize
    if not _is_large(shape, size):
        return _launch_small(kernel, _small_tiles(shape), _warps(k, size), dtype, arguments)
    rows, columns = 512 // size, 64
    tiles = blocks(shape[0], rows) * blocks(shape[1], columns)
    current().launch("dense/dense.cu", f"{kernel}_large", dtype, tiles, 256, arguments, shared=rows * columns * size)


def _is_large(shape: tuple[int, ...], size: int) -> bool:
    """Whether large tiles of numbers of that size are enough to fill a GPU."""
    return blocks(shape[0], 512 // size) * blocks(shape[1], 64) >= ENOUGH and min(shape) > 32


def _warps(k: int, size: int) -> int:
    """Warps that share k products of numbers of that size, each as many stages as the others."""
    stages = blocks(k, 128 // size)
    return blocks(stages, blocks(stages, MOST_WARPS))


def _small_tiles(shape: tuple[int, ...]) -> int:
    return blocks(shape[0], SMALL) * blocks(shape[1], SMALL)


def _launch_small(kernel: str, tiles: int, warps: int, dtype: Any, arguments: tuple[Any, ...]) -> None:
    """By so many small tiles."""
    stage = 128 // np.dtype(dtype).itemsize * (2 * SMALL + 32 // np.dtype(dtype).itemsize)
    shared = warps * stage * np.dtype(dtype).itemsize
    current().launch("dense/dense.cu", kernel, dtype, tiles, 32 * warps, arguments, shared=shared)

"""The product by BLAS, and what stands around it in one compiled pass over its output.        x (B, I)   W (I, O)   b (O,)   y dy (B, O)

BLAS counts in Fortran order, so out^T = b^T a^T on the same memory; beta = 1 adds into it without a temporary array.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from npae.kernels.dense.operands import by_address, code, derivative, layouts
from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.activation import activate, by_slope


@functools.cache
def _gemm() -> dict[np.dtype[Any], Callable[..., Any]]:
    """Loaded with the first product: a compiled step makes none, and SciPy takes a fifth of a second."""
    from scipy.linalg import blas

    return {np.dtype("float32"): blas.sgemm, np.dtype("float64"): blas.dgemm}


def matmul(a: Array, b: Array, out: Array, accumulate: bool) -> None:
    """out (+)= a b"""
    a_by_columns, b_by_columns = layouts(a, b, out)
    left, right = b if b_by_columns else b.T, a if a_by_columns else a.T
    _gemm()[out.dtype](1.0, left, right, float(accumulate), out.T, int(b_by_columns), int(a_by_columns), 1)


def affine(x: Array, W: Array, b: Array, activation: str, parameter: float, y: Array) -> None:
    """y = f(x W + b)"""
    f = code(activation)
    by_address(y, b)
    matmul(x, W, y, False)
    if activation == "linear":
        y += b  # a forward pass alone needs no compiler
        return
    activate(y.dtype.type(0), f, float(parameter), y.ctypes.data, y.shape[1], b.ctypes.data, 0, *y.shape)


def heads(x: Array, W: Array, b: Array, y: Array, W2: Array, b2: Array, y2: Array) -> None:
    """y = x W + b        y2 = x W2 + b2"""
    affine(x, W, b, "linear", 0.0, y)
    affine(x, W2, b2, "linear", 0.0, y2)


def affine_data_gradient(dy: Array, W: Array, activation: str, parameter: float, y: Array, dx: Array, accumulate: bool) -> None:
    """dx = (dy W^T) o f', or (dx + dy W^T) o f'"""
    f = derivative(activation, parameter)
    matmul(dy, W.T, dx, accumulate)
    if activation != "linear":
        by_address(dx, y)
        by_slope(y.dtype.type(0), f, float(parameter), y.ctypes.data, y.shape[1], dx.ctypes.data, dx.shape[1], 0, *dx.shape)


def heads_data_gradient(dy: Array, W: Array, dy2: Array, W2: Array, activation: str, parameter: float, y: Array, dx: Array) -> None:
    """dx = (dy W^T + dy2 W2^T) o f'"""
    matmul(dy, W.T, dx, False)
    affine_data_gradient(dy2, W2, activation, parameter, y, dx, True)


def activation_gradient(dy: Array, activation: str, parameter: float, y: Array, dx: Array) -> None:
    """dx = dy o f'"""
    f = derivative(activation, parameter)
    by_address(dx, dy, y)
    dx[...] = dy
    if activation != "linear":
        by_slope(y.dtype.type(0), f, float(parameter), y.ctypes.data, y.shape[1], dx.ctypes.data, dx.shape[1], 0, *dx.shape)


def affine_weight_gradient(x: Array, dy: Array, dW: Array, db: Array) -> None:
    """dW += x^T dy        db += sum_B dy"""
    matmul(x.T, dy, dW, True)
    _add_rows(dy, db)


@jit(FAST)
def _add_rows(dy: Array, db: Array) -> None:
    """db += sum_B dy, row after row"""
    for r in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            db[j] += dy[r, j]

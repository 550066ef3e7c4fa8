"""Products of a dense layer, as their formulas read.        x (B, I)   W (I, O)   b (O,)   y dy (B, O)        matmul (M, K) (K, N)"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from npae.kernels.dense.operands import code, derivative, layouts
from npae.kernels.kernel import Array

FORWARD: dict[str, Callable[[Array, float], Array]] = {
    "linear": lambda x, parameter: x,
    "leaky_relu": lambda x, slope: np.where(x >= 0, x, slope * x),
    "relu": lambda x, parameter: np.maximum(x, 0),
    "sigmoid": lambda x, parameter: (1 + np.tanh(x / 2)) / 2,
    "tanh": lambda x, parameter: np.tanh(x),
    "elu": lambda x, parameter: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softplus": lambda x, floor: floor + (np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))),
}

SLOPE: dict[str, Callable[[Array, float], Array]] = {  # f'(x) from y = f(x)
    "linear": lambda y, parameter: np.ones_like(y),
    "leaky_relu": lambda y, slope: np.where(y >= 0, 1, slope),
    "relu": lambda y, parameter: y > 0,
    "sigmoid": lambda y, parameter: y * (1 - y),
    "tanh": lambda y, parameter: 1 - y**2,
    "elu": lambda y, parameter: np.where(y > 0, 1, y + 1),
    "softplus": lambda y, floor: -np.expm1(floor - y),
}


def matmul(a: Array, b: Array, out: Array, accumulate: bool) -> None:
    """out (+)= a b"""
    layouts(a, b, out)
    if accumulate:
        out += a @ b
    else:
        np.matmul(a, b, out=out)


def affine(x: Array, W: Array, b: Array, activation: str, parameter: float, y: Array) -> None:
    """y = f(x W + b)"""
    code(activation)
    y[...] = FORWARD[activation](x @ W + b, parameter)


def heads(x: Array, W: Array, b: Array, y: Array, W2: Array, b2: Array, y2: Array) -> None:
    """y = x W + b        y2 = x W2 + b2"""
    y[...] = x @ W + b
    y2[...] = x @ W2 + b2


def affine_data_gradient(dy: Array, W: Array, activation: str, parameter: float, y: Array, dx: Array, accumulate: bool) -> None:
    """dx = (dy W^T) o f', or (dx + dy W^T) o f'"""
    derivative(activation, parameter)
    matmul(dy, W.T, dx, accumulate)
    if activation != "linear":
        dx *= SLOPE[activation](y, parameter)


def heads_data_gradient(dy: Array, W: Array, dy2: Array, W2: Array, activation: str, parameter: float, y: Array, dx: Array) -> None:
    """dx = (dy W^T + dy2 W2^T) o f'"""
    derivative(activation, parameter)
    dx[...] = dy @ W.T + dy2 @ W2.T
    if activation != "linear":
        dx *= SLOPE[activation](y, parameter)


def activation_gradient(dy: Array, activation: str, parameter: float, y: Array, dx: Array) -> None:
    """dx = dy o f'"""
    derivative(activation, parameter)
    dx[...] = dy * SLOPE[activation](y, parameter)


def affine_weight_gradient(x: Array, dy: Array, dW: Array, db: Array) -> None:
    """dW += x^T dy        db += sum_B dy"""
    dW += x.T @ dy
    db += dy.sum(axis=0)

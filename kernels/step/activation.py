"""Bias and activation of a part of a layer's output, and the activation's slope, in place.        rows r0 .. r1 - 1, n columns

    activate(kind, code, parameter, y, stride, bias, r0, r1, n)              y = f(y + b)
    by_slope(kind, code, parameter, y, stride, d, d_stride, r0, r1, n)       d = d f'    computed from y = f(x)

f by its code (codes.py); `parameter` is leaky_relu's slope or softplus's floor. Formulas and kinks: npae/layers/activations.py.
In float32 tanh is within 3e-7 of itself, relative, also near 0; elu comes from it:  e^x - 1 = 2 t / (1 - t), t = tanh(x/2).
Addresses in bytes, strides in elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from npae.kernels.elementary import exp, log1p
from npae.kernels.jit import FAST, compiled_form_of, jit
from npae.kernels.step.codes import ELU, LEAKY_RELU, LINEAR, RELU, SIGMOID, SOFTPLUS, TANH
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.vectors import types

_F = np.float32
_T0, _T1, _T2, _T3, _T4 = map(_F, (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1))


def tanh(x: float) -> float:
    """The hyperbolic tangent; in compiled float32 a form that vectorises (the polynomial is that of Cephes's tanhf)."""
    return math.tanh(x)


def _tanh32(x: Any) -> Any:
    """x + x^3 P(x^2) below 0.625, else sign(x) (1 - 2 / (e^2|x| + 1))."""
    q = x * x
    small = x + x * q * ((((_T0 * q + _T1) * q + _T2) * q + _T3) * q + _T4)
    size = abs(x)
    large = _F(1) - _F(2) / (exp(size + size) + _F(1))
    return small if size < _F(0.625) else (large if x > _F(0) else -large)


def _tanh64(x: Any) -> Any:
    return math.tanh(x)


@compiled_form_of(tanh)
def _compiled_tanh(x: Any) -> Callable[[Any], Any]:
    return _tanh32 if x == types.float32 else _tanh64


@jit(FAST)
def activate(kind: Any, code: int, parameter: float, y: int, stride: int, bias: int, r0: int, r1: int, n: int) -> None:
    """y = f(y + b)"""
    size, b = size_of(kind), array_at(kind, bias, n)
    zero, one, half, two = b.dtype.type(0), b.dtype.type(1), b.dtype.type(0.5), b.dtype.type(2)
    given = b.dtype.type(parameter)
    for r in range(r0, r1):
        row = array_at(kind, y + size * r * stride, n)
        if code == LINEAR:
            for j in range(n):
                row[j] = row[j] + b[j]
        elif code == LEAKY_RELU:
            for j in range(n):
                x = row[j] + b[j]
                row[j] = x if x >= zero else given * x
        elif code == RELU:
            for j in range(n):
                x = row[j] + b[j]
                row[j] = zero if x <= zero else x
        elif code == SIGMOID:
            for j in range(n):
                x = row[j] + b[j]
                t = exp(-abs(x))
                row[j] = (one if x >= zero else t) / (one + t)
        elif code == TANH:
            for j in range(n):
                row[j] = tanh(row[j] + b[j])
        elif code == ELU:
            for j in range(n):
                x = row[j] + b[j]
                t = tanh(half * (zero if x > zero else x))  # a NaN stays one
                row[j] = x if x > zero else two * t / (one - t)
        else:
            for j in range(n):
                x = row[j] + b[j]
                row[j] = given + ((x if x > zero else zero) + log1p(exp(-abs(x))))


@jit(FAST)
def by_slope(kind: Any, code: int, parameter: float, y: int, stride: int, d: int, d_stride: int, r0: int, r1: int, n: int) -> None:
    """d = d f'"""
    size = size_of(kind)
    for r in range(r0, r1):
        out, slope = array_at(kind, y + size * r * stride, n), array_at(kind, d + size * r * d_stride, n)
        zero, one, half, two = out.dtype.type(0), out.dtype.type(1), out.dtype.type(0.5), out.dtype.type(2)
        given = out.dtype.type(parameter)
        if code == LEAKY_RELU:
            for j in range(n):
                slope[j] = slope[j] if out[j] >= zero else given * slope[j]
        elif code == RELU:
            for j in range(n):
                slope[j] = slope[j] if out[j] > zero else zero * slope[j]
        elif code == SIGMOID:
            for j in range(n):
                slope[j] = slope[j] * (out[j] * (one - out[j]))
        elif code == TANH:
            for j in range(n):
                slope[j] = slope[j] * (one - out[j] * out[j])
        elif code == ELU:
            for j in range(n):
                slope[j] = slope[j] if out[j] > zero else slope[j] * (out[j] + one)
        elif code == SOFTPLUS:  # 1 / (1 + e^-x) = 1 - e^-(y - floor), and 1 - e^-2a = 2 t / (1 + t), t = tanh a
            for j in range(n):
                t = tanh(half * (out[j] - given))
                slope[j] = slope[j] * (two * t / (one + t))

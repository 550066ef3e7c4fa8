"""The gradient of a layer's weights, and Adam's step with each tile of it as soon as it is known: the whole gradient is never stored.

    weights     g_ij = sum_b x_bi dy_bj + decay W_ij        bias      g_j = sum_b dy_bj + decay b_j
    Adam        m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2,   W -= alpha m / (sqrt(v) root + epsilon)

`rates` holds alpha, root, b1, b2, epsilon of the step (npae/kernels/adam). decay = 2 l2 is the slope of l2 sum W^2; the sum of the new W^2
is left in `squares`, one number a tile: it is the next step's. A transposed copy of W, which backward reads, is kept up to date.
Addresses in bytes, strides in elements.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.codes import ALPHA, BETA1, BETA2, CHUNK, EPSILON, ROOT
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.product import product
from npae.kernels.step.transpose import transpose


@jit(FAST)
def adam_row(g: Array, w: Array, m: Array, v: Array, rates: Array, decay: float) -> float:
    """One row; returns the sum of the new w^2 where there is a decay."""
    number = w.dtype.type
    alpha, root, floor, wane = number(rates[ALPHA]), number(rates[ROOT]), number(rates[EPSILON]), number(decay)
    keep1, keep2, take1, take2 = number(rates[BETA1]), number(rates[BETA2]), number(1.0 - rates[BETA1]), number(1.0 - rates[BETA2])
    for j in range(len(w)):
        g_j = g[j] + wane * w[j]
        m_j = keep1 * m[j] + take1 * g_j
        v_j = keep2 * v[j] + take2 * (g_j * g_j)
        m[j] = m_j
        v[j] = v_j
        w[j] -= alpha * m_j / (np.sqrt(v_j) * root + floor)
    return squares_of(w) if decay != 0.0 else 0.0


@jit(FAST)
def squares_of(w: Array) -> float:
    """sum w^2"""
    total = 0.0
    for j in range(len(w)):
        total += np.float64(w[j]) * np.float64(w[j])
    return total


@jit(FAST)
def adam_tile(kind: Any, g: int, ldg: int, w: int, m: int, v: int, stride: int, rows: int, n: int, rates: Array, decay: float) -> float:
    """Rows of a tile; returns the sum of the new w^2 where there is a decay."""
    size, total = size_of(kind), 0.0
    for r in range(rows):
        at = size * r * stride
        g_r = array_at(kind, g + size * r * ldg, n)
        total += adam_row(g_r, array_at(kind, w + at, n), array_at(kind, m + at, n), array_at(kind, v + at, n), rates, decay)
    return total


@jit(FAST)
def update_weights(
    kind: Any,
    x: int,
    x_stride: int,
    dy: int,
    dy_stride: int,
    batch: int,
    w: int,
    m: int,
    v: int,
    n_in: int,
    n_out: int,
    turned: int,
    turned_stride: int,
    i: int,
    j: int,
    width: int,
    scratch: int,
    rates: Array,
    decay: float,
) -> float:
    """The tile of W whose first element is W_ij: CHUNK rows and `width` columns, or what there is of them."""
    size = size_of(kind)
    rows, n = min(CHUNK, n_in - i), min(width, n_out - j)
    at = size * (i * n_out + j)
    product(kind, x + size * i, dy + size * j, scratch, rows, n, batch, 1, x_stride, dy_stride, width)
    total = adam_tile(kind, scratch, width, w + at, m + at, v + at, n_out, rows, n, rates, decay)
    if turned != 0:
        transpose(kind, w + at, n_out, turned + size * (j * turned_stride + i), turned_stride, rows, n)
    return total


@jit(FAST)
def update_bias(
    kind: Any, dy: int, dy_stride: int, batch: int, b: int, m: int, v: int, n_out: int, scratch: int, rates: Array, decay: float
) -> float:
    """All of b."""
    g = array_at(kind, scratch, n_out)
    g[:] = g.dtype.type(0)
    for r in range(batch):
        row = array_at(kind, dy + size_of(kind) * r * dy_stride, n_out)
        for j in range(n_out):
            g[j] += row[j]
    return adam_row(g, array_at(kind, b, n_out), array_at(kind, m, n_out), array_at(kind, v, n_out), rates, decay)

"""The gradient of a layer's weights, and Adam's step with each part of it as soon as it is known: the whole gradient is never stored.

    weights     g_ij = sum_b x_bi dy_bj + decay W_ij        bias      g_j = sum_b dy_bj + decay b_j
    Adam        m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2,   W -= alpha m / (sqrt(v) root + epsilon)

`rates` holds alpha, root, b1, b2, epsilon of the step (npae/kernels/adam). decay = 2 l2 is the slope of l2 sum W^2; the sum of the new W^2
is left in `squares`, one number for each part: it is the next step's. W, m and v are in panels (panels.py); W^T, which backward reads, is
kept up to date.
Addresses in bytes, strides in elements.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.codes import ALPHA, BETA1, BETA2, EPSILON, PART_ROWS, ROOT
from npae.kernels.step.memory import array_at, fetch, size_of
from npae.kernels.step.panels import turn_part
from npae.kernels.step.product import panel_width, product


@jit(FAST)
def adam(g: Array, w: Array, m: Array, v: Array, rates: Array, decay: float) -> None:
    """Numbers of W that lie one behind the other."""
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


@jit(FAST)
def squares_of(kind: Any, w: int, rows: int, n: int) -> float:
    """sum w^2 of some whole rows: a row's in W's precision, their sum in float64."""
    total = 0.0
    for r in range(rows):
        row = array_at(kind, w + size_of(kind) * r * n, n)
        of_row = row.dtype.type(0)
        for j in range(n):
            of_row += row[j] * row[j]
        total += np.float64(of_row)
    return total


@jit(FAST)
def adam_rows(kind: Any, g: int, w: int, m: int, v: int, rows: int, n: int, rates: Array, decay: float) -> float:
    """Whole rows of W; returns the sum of the new w^2 where there is a decay."""
    count = rows * n
    adam(array_at(kind, g, count), array_at(kind, w, count), array_at(kind, m, count), array_at(kind, v, count), rates, decay)
    return squares_of(kind, w, rows, n) if decay != 0.0 else 0.0


@jit(FAST)
def update_part(
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
    depth: int,
    above: int,
    i: int,
    j: int,
    scratch: int,
    rates: Array,
    decay: float,
) -> float:
    """The part of a panel of W whose first element is W_ij: PART_ROWS rows, or what there is of them."""
    size = size_of(kind)
    rows, n = min(PART_ROWS, n_in - i), min(panel_width(kind), n_out - j)
    at = size * (j * n_in + i * n)
    for moment in (w, m, v):  # while the product is formed they come nearer
        fetch(moment + at, size * rows * n)
    product(kind, x + size * i, dy + size * j, scratch, rows, n, batch, 1, x_stride, dy_stride, n)
    total = adam_rows(kind, scratch, w + at, m + at, v + at, rows, n, rates, decay)
    if turned != 0:
        turn_part(kind, w + at, turned, i, j, rows, n, n_in, depth, above)
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
    return adam_rows(kind, scratch, b, m, v, 1, n_out, rates, decay)

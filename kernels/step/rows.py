"""What the operations over rows of the batch do: each handler reads its fields in the order in which operations.py has them.

The matrices are finished panel by panel, while a panel of the block of rows lies in the first-level cache.
"""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, entry_point, jit
from npae.kernels.philox.cpu import normal_rows, uniform_rows
from npae.kernels.step.activation import activate, by_slope
from npae.kernels.step.codes import BATCH, HIGH, LINEAR, LOW, MOMENT, SCRATCH, STEP
from npae.kernels.step.likelihood import likelihood
from npae.kernels.step.memory import array_at, copied, matrix_at, size_of
from npae.kernels.step.product import product_in_panels
from npae.kernels.step.sparse import sparse_forward
from npae.kernels.step.table import FLOATS, INTS


@entry_point(FAST)
def draw(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """the noise of some rows"""
    f = array_at(0, op, INTS)
    normal, stream, columns, out = f[1], f[2], f[3], f[4]
    moment = array_at(0, now, MOMENT)
    key, step = (moment[LOW], moment[HIGH]), moment[STEP]
    rows, numbers = array_at(0, moment[SCRATCH], hi - lo), matrix_at(kind, out + size_of(kind) * lo * columns, hi - lo, columns)
    scratch = moment[SCRATCH] + 8 * (hi - lo)
    for r in range(lo, hi):
        rows[r - lo] = r
    if normal:
        normal_rows(key, stream, step, rows, numbers, scratch)
    else:
        uniform_rows(key, stream, step, rows, numbers, scratch)


@jit(FAST)
def _layer(
    kind: Any,
    code: int,
    parameter: float,
    x: int,
    x_stride: int,
    n_in: int,
    w: int,
    b: int,
    n_out: int,
    y: int,
    y_stride: int,
    lo: int,
    hi: int,
) -> None:
    """y = f(x W + b)"""
    size, start = size_of(kind), b if code == LINEAR else 0
    product_in_panels(kind, x + size * lo * x_stride, w, y + size * lo * y_stride, hi - lo, n_out, n_in, x_stride, y_stride, start)
    if code != LINEAR:
        activate(kind, code, parameter, y, y_stride, b, lo, hi, n_out)


@entry_point(FAST)
def dense(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """y = f(x W + b)"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    x, x_stride, n_in, w, b, n_out, y, y_stride, code = f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]
    _layer(kind, code, numbers[0], x, x_stride, n_in, w, b, n_out, y, y_stride, lo, hi)


@entry_point(FAST)
def sparse_dense(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """y = f(x W + b) from the nonzeros of x"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    sparse_forward(kind, f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11], numbers[0], lo, hi)


@entry_point(FAST)
def decode(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """y = f(x W + b), the loss of y, and its gradient with respect to x W + b"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    x, x_stride, n_in, w, b, n_out, y, stride, kept = f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]
    code, loss, target, totals = f[10], f[11], f[12], f[13]
    parameter, scale, clip = numbers[0], numbers[1], numbers[2]
    size = size_of(kind)
    _layer(kind, code, parameter, x, x_stride, n_in, w, b, n_out, y, stride, lo, hi)
    if kept:
        for r in range(lo, hi):
            copied(kind, y + size * r * stride, kept + size * r * stride, n_out)
    likelihood(kind, loss, scale, clip, y, target, stride, n_out, lo, hi, totals, array_at(0, now, MOMENT)[SCRATCH])
    if kept:
        by_slope(kind, code, parameter, kept, stride, y, stride, lo, hi, n_out)


@entry_point(FAST)
def drop(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """mask = [u >= rate] / (1 - rate), y = x mask"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    x, u, y, n, rate = f[1], f[2], f[3], f[4], numbers[0]
    at, count = size_of(kind) * lo * n, (hi - lo) * n
    given, mask, kept = array_at(kind, x + at, count), array_at(kind, u + at, count), array_at(kind, y + at, count)
    zero, share, scale = given.dtype.type(0), given.dtype.type(rate), given.dtype.type(1 / (1 - rate))
    for i in range(count):
        mask[i] = scale if mask[i] >= share else zero
        kept[i] = given[i] * mask[i]


@jit(FAST)
def _through_layer(kind: Any, dx: int, dx_stride: int, n: int, mask: int, y: int, code: int, parameter: float, lo: int, hi: int) -> None:
    """dx = dx mask f'(y): through the dropout and the activation of the layer below"""
    size = size_of(kind)
    if mask:
        for r in range(lo, hi):
            row, kept = array_at(kind, dx + size * r * dx_stride, n), array_at(kind, mask + size * r * n, n)
            for i in range(n):
                row[i] *= kept[i]
    if code:
        by_slope(kind, code, parameter, y, n, dx, dx_stride, lo, hi, n)


@entry_point(FAST)
def back(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """dx = (dy W^T) mask f'(y)"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    dy, dy_stride, n_out, turned, n_in, dx, dx_stride, mask, y, code = f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10]
    size = size_of(kind)
    product_in_panels(kind, dy + size * lo * dy_stride, turned, dx + size * lo * dx_stride, hi - lo, n_in, n_out, dy_stride, dx_stride, 0)
    _through_layer(kind, dx, dx_stride, n_in, mask, y, code, numbers[0], lo, hi)


@entry_point(FAST)
def join(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """dx = (sum of the parts) mask f'(y)"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    parts, shares, n, dx, dx_stride, mask, y, code = f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8]
    size, batch = size_of(kind), array_at(0, now, MOMENT)[BATCH]
    for r in range(lo, hi):
        copied(kind, parts + size * r * n, dx + size * r * dx_stride, n)
        total = array_at(kind, dx + size * r * dx_stride, n)
        for share in range(1, shares):
            part = array_at(kind, parts + size * (share * batch + r) * n, n)
            for i in range(n):
                total[i] += part[i]
    _through_layer(kind, dx, dx_stride, n, mask, y, code, numbers[0], lo, hi)


@entry_point(FAST)
def norm(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """totals_b = sum_j dy_bj^2"""
    f = array_at(0, op, INTS)
    dy, dy_stride, n, totals = f[1], f[2], f[3], array_at(0.0, f[4], hi)
    for r in range(lo, hi):
        row = array_at(kind, dy + size_of(kind) * r * dy_stride, n)
        total = row.dtype.type(0)
        for j in range(n):
            total += row[j] * row[j]
        totals[r] = total

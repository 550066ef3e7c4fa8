"""What the operations over rows of the batch do: each handler reads its fields in the order in which operations.py has them.

The matrices are finished panel by panel, while a panel of the block of rows lies in the first-level cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import FAST, entry_point, jit
from npae.kernels.kernel import Array
from npae.kernels.philox.cpu import normal_rows, uniform_rows
from npae.kernels.step.activation import activate, by_slope
from npae.kernels.step.codes import AHEAD, BATCH, HIGH, LINEAR, LOW, MOMENT, ORDER, SCRATCH, STEP
from npae.kernels.step.likelihood import likelihood
from npae.kernels.step.memory import array_at, fetch, matrix_at, size_of
from npae.kernels.step.nonzeros import scattered
from npae.kernels.step.product import product_in_panels
from npae.kernels.step.sparse import sparse_forward
from npae.kernels.step.table import FLOATS, INTS

_INT32 = np.int32(0)
SOON = 3  # rows from now, whose nonzeros are brought near from where the step before has brought them


@jit(FAST)
def _copy(kind: Any, source: int, target: int, count: int) -> None:
    read, written = array_at(kind, source, count), array_at(kind, target, count)
    for j in range(count):
        written[j] = read[j]


@jit(FAST)
def _begin_at(place: int, source: int, target: int, count: int) -> None:
    """Where the blocks of a row begin that is kept at that place."""
    among_its_own, begins = array_at(0, source, count), array_at(0, target, count)
    for block in range(count):
        begins[block] = place + among_its_own[block]


@entry_point(FAST)
def gather(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """x_b = data[order_b]; the next step's rows, which lie anywhere in the data, are asked for in time"""
    f, moment = array_at(0, op, INTS), array_at(0, now, MOMENT)
    data, features, x = f[1], f[2], f[3]
    size, taken, ahead = size_of(kind), array_at(0, moment[ORDER], hi), array_at(0, moment[AHEAD], hi)
    for r in range(lo, hi):
        _copy(kind, data + size * taken[r] * features, x + size * r * features, features)
    for r in range(lo, hi):
        fetch(data + size * ahead[r] * features, size * features)


@jit(FAST)
def _fetch_nonzeros(kind: Any, f: Array, row: int) -> None:
    """Begin to bring those of a row of the data nearer."""
    blocks, size = f[3], size_of(kind)
    ends, of_starts = array_at(0, f[4] + 8 * row, 2), 8 * (blocks + 1)
    fetch(f[5] + 4 * ends[0], 4 * (ends[1] - ends[0]))
    fetch(f[6] + size * ends[0], size * (ends[1] - ends[0]))
    fetch(f[7] + of_starts * row, of_starts)


@entry_point(FAST)
def gather_sparse(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """the nonzeros of x_b = data[order_b], row after row from place lo F on, and x_b from them: a third of the bytes of data[order_b]"""
    f, moment = array_at(0, op, INTS), array_at(0, now, MOMENT)
    features, x, blocks, bounds = f[1], f[2], f[3], f[4]
    size, taken, ahead, of_starts = size_of(kind), array_at(0, moment[ORDER], hi), array_at(0, moment[AHEAD], hi), 8 * (blocks + 1)
    place = lo * features
    for r in range(lo, hi):
        _fetch_nonzeros(kind, f, taken[min(r + SOON, hi - 1)])
        ends = array_at(0, bounds + 8 * taken[r], 2)
        first, count = ends[0], ends[1] - ends[0]
        indices, values = f[8] + 4 * place, f[9] + size * place
        _copy(_INT32, f[5] + 4 * first, indices, count)
        _copy(kind, f[6] + size * first, values, count)
        _begin_at(place, f[7] + of_starts * taken[r], f[10] + of_starts * r, blocks + 1)
        scattered(kind, indices, values, count, x + size * r * features, features)
        place += count
    for r in range(lo, hi):
        _fetch_nonzeros(kind, f, ahead[r])


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
            _copy(kind, y + size * r * stride, kept + size * r * stride, n_out)
    likelihood(kind, loss, scale, clip, y, target, stride, n_out, lo, hi, totals)
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
        _copy(kind, parts + size * r * n, dx + size * r * dx_stride, n)
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

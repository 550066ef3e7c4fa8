"""The reconstruction loss of the decoder's output, and its gradient.        rows r0 .. r1 - 1, n columns

    likelihood(kind, code, scale, clip, y, x, stride, n, r0, r1, totals, scratch)

    code                 each row's total                                       y becomes
    squared_error        sum (y - x)^2                                          2 scale (y - x)
    bernoulli_logits     sum max(y, 0) - y x + log1p(e^-|y|)                    scale (sigmoid(y) - x)
    bernoulli_sigmoid    sum -x log q - (1 - x) log(1 - q), q = clip(p)         scale (p - x), 0 where clipped;  p = sigmoid(y)

With the sigmoid its slope q (1 - q) cancels, and so do the logarithms: log q - log(1 - q) = y. In place: where two arrays may be one, loops
do not vectorise. totals: float64, one a row, without the scale. Rows of logits in float32 are logits.py's. Formulas: npae/losses.
Addresses in bytes, strides in elements.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.elementary import exp_minus, log, log1p
from npae.kernels.jit import FAST, compiled_form_of, jit
from npae.kernels.kernel import Array
from npae.kernels.step.codes import BERNOULLI_LOGITS, SQUARED_ERROR
from npae.kernels.step.logits import clipped_row, logits_row
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.vectors import types


@jit(FAST)
def _squared_error(y: Array, x: Array, scale: float) -> float:
    twice, total = y.dtype.type(2.0 * scale), y.dtype.type(0)
    for j in range(len(y)):
        error = y[j] - x[j]
        total += error * error
        y[j] = twice * error
    return np.float64(total)


@jit(FAST)
def _of_logit(logit: float, target: float, zero: float, one: float) -> tuple[float, float]:
    """Its loss, and its sigmoid."""
    t = exp_minus(abs(logit))  # of a NaN any number; the loss is NaN then
    r = one / (one + t)
    loss = (logit if logit >= zero else zero) - logit * target + log1p(t)
    return loss, r if logit >= zero else t * r


@jit(FAST)
def _logits(l: Array, x: Array, scale: float) -> float:
    number = l.dtype.type
    zero, one, factor, total = number(0), number(1), number(scale), number(0)
    for j in range(len(l)):
        target = x[j]
        loss, p = _of_logit(l[j], target, zero, one)
        total += loss
        l[j] = factor * (p - target)
    return np.float64(total)


@jit(FAST)
def _sigmoid(l: Array, x: Array, scale: float, clip: float) -> float:
    number = l.dtype.type
    zero, one, factor, low, high, total = number(0), number(1), number(scale), number(clip), number(1.0 - clip), number(0)
    lowest, highest = log(low / (one - low)), log(high / (one - high))
    for j in range(len(l)):
        raw, target = l[j], x[j]
        logit = lowest if raw < lowest else raw
        logit = highest if logit > highest else logit
        loss, p = _of_logit(logit, target, zero, one)
        total += loss
        l[j] = factor * (p - target) if raw == logit and p < high else zero  # near 1 p is rounded to few numbers
    return np.float64(total)


def bernoulli(kind: Any, code: Any, y: Any, x: Any, n: Any, scale: Any, clip: Any, scratch: Any) -> Any:
    """One row's total; y becomes the gradient."""
    y_r, x_r = array_at(kind, y, n), array_at(kind, x, n)
    return _logits(y_r, x_r, scale) if code == BERNOULLI_LOGITS else _sigmoid(y_r, x_r, scale, clip)


def _by_vectors(kind: Any, code: Any, y: Any, x: Any, n: Any, scale: Any, clip: Any, scratch: Any) -> Any:
    if code == BERNOULLI_LOGITS:
        return logits_row(kind, y, x, n, scale, scratch)
    number: Any = np.float32
    one, low, high = number(1), number(clip), number(1.0 - clip)
    return clipped_row(kind, y, x, n, scale, log(low / (one - low)), log(high / (one - high)), high, scratch)


@compiled_form_of(bernoulli, FAST)
def _compiled_bernoulli(kind: Any, code: Any, y: Any, x: Any, n: Any, scale: Any, clip: Any, scratch: Any) -> Any:
    return _by_vectors if kind == types.float32 else bernoulli


@jit(FAST)
def likelihood(
    kind: Any,
    code: int,
    scale: float,
    clip: float,
    y: int,
    x: int,
    stride: int,
    n: int,
    r0: int,
    r1: int,
    totals: int,
    scratch: int,
) -> None:
    """Each row's total; y becomes the gradient."""
    size, sums = size_of(kind), array_at(0.0, totals, r1)
    for r in range(r0, r1):
        y_r, x_r = y + size * r * stride, x + size * r * stride
        if code == SQUARED_ERROR:
            sums[r] = _squared_error(array_at(kind, y_r, n), array_at(kind, x_r, n), scale)
        else:
            sums[r] = bernoulli(kind, code, y_r, x_r, n, scale, clip, scratch)

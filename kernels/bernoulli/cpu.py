"""Bernoulli negative log-likelihood and its gradient in one pass, compiled.        logits, p, x and gradients (B, F)

One exp serves both results: with t = exp(-|l|) and r = 1 / (1 + t), sigmoid(l) is r for l >= 0 and t r for l < 0.
"""

from __future__ import annotations

import numpy as np

from npae.kernels.elementary import exp, log, log1p
from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array


@jit(FAST)
def bernoulli_logits(logits: Array, x: Array, scale: float, dlogits: Array) -> float:
    """value = scale sum (max(l, 0) - l x + log1p(exp(-|l|)))        dlogits = scale (sigmoid(l) - x)"""
    number = logits.dtype.type
    zero, one, factor = number(0), number(1), number(scale)
    flat_l, flat_x, flat_d = logits.reshape(-1), x.reshape(-1), dlogits.reshape(-1)
    total = 0.0
    for i in range(flat_l.size):
        l, target = flat_l[i], flat_x[i]
        t = exp(-abs(l))
        r = one / (one + t)
        positive = l >= zero
        total += np.float64((l if positive else zero) - l * target + log1p(t))
        flat_d[i] = factor * ((r if positive else t * r) - target)
    return scale * total


@jit(FAST)
def bernoulli_probabilities(p: Array, x: Array, clip: float, scale: float, dp: Array) -> float:
    """value = -scale sum (x log q + (1 - x) log(1 - q)), q = p clipped        dp = scale ((1 - x) / (1 - q) - x / q), 0 at the clip"""
    number = p.dtype.type
    zero, one, factor, low, high = number(0), number(1), number(scale), number(clip), number(1.0 - clip)
    flat_p, flat_x, flat_d = p.reshape(-1), x.reshape(-1), dp.reshape(-1)
    total = 0.0
    for i in range(flat_p.size):
        raw, target = flat_p[i], flat_x[i]
        q = low if raw < low else raw
        q = high if q > high else q
        rest = one - q
        hidden = zero * raw  # 0, or NaN where raw is infinite and the clip would hide it
        total += np.float64(target * log(q) + (one - target) * log(rest) + hidden)
        slope = factor * ((q - target) / (q * rest))
        flat_d[i] = slope if low < raw and raw < high else zero
    return -scale * total

"""Bernoulli negative log-likelihood in nats, from logits or from probabilities.        logits, p, x and gradients (B, F)"""

from __future__ import annotations

import numpy as np

from npae.kernels.kernel import Array


def bernoulli_logits(logits: Array, x: Array, scale: float, dlogits: Array) -> float:
    """value = scale sum (max(l, 0) - l x + log1p(exp(-|l|)))        dlogits = scale (sigmoid(l) - x)"""
    with np.errstate(invalid="ignore"):  # an infinite logit: the value says so
        tail = np.exp(-np.abs(logits))
        losses = np.maximum(logits, 0.0) - logits * x + np.log1p(tail)
        value = scale * float(losses.sum(dtype=np.float64))
    sigmoid = np.where(logits >= 0.0, 1.0, tail) / (1.0 + tail)
    dlogits[...] = scale * (sigmoid - x)
    return value


def bernoulli_probabilities(p: Array, x: Array, clip: float, scale: float, dp: Array) -> float:
    """value = -scale sum (x log q + (1 - x) log(1 - q)), q = p clipped        dp = scale ((1 - x) / (1 - q) - x / q), 0 at the clip"""
    low, high = p.dtype.type(clip), p.dtype.type(1.0 - clip)
    inside = (low < p) & (p < high)
    q = np.where(np.isinf(p), np.nan, np.clip(p, low, high))  # an infinite p is no probability: the clip must not hide it
    losses = x * np.log(q) + (1.0 - x) * np.log1p(-q)
    value = -scale * float(losses.sum(dtype=np.float64))
    dp[...] = np.where(inside, scale * ((1.0 - x) / (1.0 - q) - x / q), 0.0)
    return value

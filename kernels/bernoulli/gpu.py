"""Bernoulli negative log-likelihood and its gradient, each in one launch; the value stays on the device.        all arrays (B, F)"""

from __future__ import annotations

from typing import Any

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import elementwise
from npae.kernels.kernel import Array


def bernoulli_logits(logits: Array, x: Array, scale: float, dlogits: Array) -> Array:
    """value = scale sum (max(l, 0) - l x + log1p(exp(-|l|)))        dlogits = scale (sigmoid(l) - x)"""
    return _launched("bernoulli_logits", logits, x, scale, dlogits)


def bernoulli_probabilities(p: Array, x: Array, clip: float, scale: float, dp: Array) -> Array:
    """value = -scale sum (x log q + (1 - x) log(1 - q)), q = p clipped        dp = scale ((1 - x) / (1 - q) - x / q), 0 at the clip"""
    return _launched("bernoulli_probabilities", p, x, clip, scale, dp)


def _launched(kernel: str, y: Array, *arguments: Any) -> Array:
    gpu, value = current(), current().number()
    grid, block = elementwise(y.size)
    gpu.launch("bernoulli/bernoulli.cu", kernel, y.dtype, grid, block, (y, *arguments, y.size, *gpu.sum_room(grid), value))
    return value

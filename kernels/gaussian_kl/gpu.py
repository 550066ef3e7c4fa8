"""KL(N(mu, sigma^2) || N(0, 1)) with its gradients in one launch, for three ways of giving sigma; the value stays on the device.

mu and the rest (B, Z); per_unit (Z,). A block takes 256 columns, or all of them and as many rows as fit; a thread PER_THREAD of its rows.
"""

from __future__ import annotations

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import PER_THREAD, THREADS, blocks
from npae.kernels.kernel import Array

MOST_GROUPS = 256  # of rows: the last block adds up their sums


def gaussian_kl_log_std(mu: Array, s: Array, scale: float, dmu: Array, ds: Array, per_unit: Array) -> Array:
    """s = log sigma        ds = scale (exp(2 s) - 1)"""
    return _launched("gaussian_kl_log_std", mu, s, scale, dmu, ds, per_unit)


def gaussian_kl_log_variance(mu: Array, v: Array, scale: float, dmu: Array, dv: Array, per_unit: Array) -> Array:
    """v = log sigma^2        dv = scale/2 (exp(v) - 1)"""
    return _launched("gaussian_kl_log_variance", mu, v, scale, dmu, dv, per_unit)


def gaussian_kl_sigma(mu: Array, sigma: Array, scale: float, dmu: Array, dsigma: Array, per_unit: Array) -> Array:
    """dsigma = scale (sigma - 1/sigma)"""
    return _launched("gaussian_kl_sigma", mu, sigma, scale, dmu, dsigma, per_unit)


def _launched(kernel: str, mu: Array, second: Array, scale: float, dmu: Array, dsecond: Array, per_unit: Array) -> Array:
    gpu, value = current(), current().number()
    rows, columns = mu.shape
    groups = min(blocks(rows, THREADS // min(columns, THREADS) * PER_THREAD), MOST_GROUPS)
    arguments = (mu, second, scale, dmu, dsecond, per_unit, rows, columns, groups, *gpu.sum_room(groups * columns), value)
    gpu.launch("gaussian_kl/gaussian_kl.cu", kernel, mu.dtype, groups * blocks(columns, THREADS), THREADS, arguments)
    return value

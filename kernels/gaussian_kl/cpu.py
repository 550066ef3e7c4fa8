"""KL(N(mu, sigma^2) || N(0, 1)) with its gradients in one pass, compiled, for three ways of giving sigma.        mu and the rest (B, Z)"""

from __future__ import annotations

import numpy as np

from npae.kernels.elementary import exp, log
from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array


@jit(FAST)
def _scaled_total(per_unit: Array, scale: float) -> float:
    """per_unit = scale per_unit; returns its sum."""
    total = 0.0
    for j in range(per_unit.size):
        per_unit[j] *= scale
        total += per_unit[j]
    return total


@jit(FAST)
def gaussian_kl_log_std(mu: Array, s: Array, scale: float, dmu: Array, ds: Array, per_unit: Array) -> float:
    """s = log sigma        ds = scale (exp(2 s) - 1)"""
    number = mu.dtype.type
    half, one, factor = number(0.5), number(1), number(scale)
    per_unit[:] = 0.0
    for b in range(mu.shape[0]):
        mu_b, s_b, dmu_b, ds_b = mu[b], s[b], dmu[b], ds[b]
        for j in range(mu.shape[1]):
            twice = s_b[j] + s_b[j]
            excess = exp(twice) - one
            per_unit[j] += np.float64(half * (excess - twice + mu_b[j] * mu_b[j]))
            ds_b[j] = factor * excess
            dmu_b[j] = factor * mu_b[j]
    return _scaled_total(per_unit, scale)


@jit(FAST)
def gaussian_kl_log_variance(mu: Array, v: Array, scale: float, dmu: Array, dv: Array, per_unit: Array) -> float:
    """v = log sigma^2        dv = scale/2 (exp(v) - 1)"""
    number = mu.dtype.type
    half, one, factor = number(0.5), number(1), number(scale)
    per_unit[:] = 0.0
    for b in range(mu.shape[0]):
        mu_b, v_b, dmu_b, dv_b = mu[b], v[b], dmu[b], dv[b]
        for j in range(mu.shape[1]):
            excess = exp(v_b[j]) - one
            per_unit[j] += np.float64(half * (excess - v_b[j] + mu_b[j] * mu_b[j]))
            dv_b[j] = half * factor * excess
            dmu_b[j] = factor * mu_b[j]
    return _scaled_total(per_unit, scale)


@jit(FAST)
def gaussian_kl_sigma(mu: Array, sigma: Array, scale: float, dmu: Array, dsigma: Array, per_unit: Array) -> float:
    """dsigma = scale (sigma - 1/sigma)"""
    number = mu.dtype.type
    half, one, factor = number(0.5), number(1), number(scale)
    per_unit[:] = 0.0
    for b in range(mu.shape[0]):
        mu_b, sigma_b, dmu_b, dsigma_b = mu[b], sigma[b], dmu[b], dsigma[b]
        for j in range(mu.shape[1]):
            width = sigma_b[j]
            per_unit[j] += np.float64(half * (width * width + mu_b[j] * mu_b[j] - one) - log(width))
            dsigma_b[j] = factor * (width - one / width)
            dmu_b[j] = factor * mu_b[j]
    return _scaled_total(per_unit, scale)

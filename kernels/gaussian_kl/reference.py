"""KL(N(mu, sigma^2) || N(0, 1)) = 1/2 (sigma^2 + mu^2 - 1 - log sigma^2), for three ways of giving sigma.        mu and the rest (B, Z)

expm1 keeps the digits where sigma is close to 1, and the divergence close to 0.
"""

from __future__ import annotations

import numpy as np

from npae.kernels.kernel import Array


def _column_sums(terms: Array, scale: float, per_unit: Array) -> float:
    """per_unit_j = scale sum_b terms_bj; returns the sum of them all."""
    per_unit[...] = scale * terms.sum(axis=0, dtype=np.float64)
    return float(per_unit.sum())


def gaussian_kl_log_std(mu: Array, s: Array, scale: float, dmu: Array, ds: Array, per_unit: Array) -> float:
    """s = log sigma        ds = scale (exp(2 s) - 1)"""
    with np.errstate(over="ignore", invalid="ignore"):  # a huge s: the value says so
        excess = np.expm1(2.0 * s)
        value = _column_sums(0.5 * (excess - 2.0 * s + mu * mu), scale, per_unit)
    dmu[...] = scale * mu
    ds[...] = scale * excess
    return value


def gaussian_kl_log_variance(mu: Array, v: Array, scale: float, dmu: Array, dv: Array, per_unit: Array) -> float:
    """v = log sigma^2        dv = scale/2 (exp(v) - 1)"""
    with np.errstate(over="ignore", invalid="ignore"):  # a huge v: the value says so
        excess = np.expm1(v)
        value = _column_sums(0.5 * (excess - v + mu * mu), scale, per_unit)
    dmu[...] = scale * mu
    dv[...] = 0.5 * scale * excess
    return value


def gaussian_kl_sigma(mu: Array, sigma: Array, scale: float, dmu: Array, dsigma: Array, per_unit: Array) -> float:
    """dsigma = scale (sigma - 1/sigma)"""
    with np.errstate(divide="ignore", invalid="ignore"):  # sigma <= 0: the value says so
        value = _column_sums(0.5 * (sigma * sigma + mu * mu - 1.0) - np.log(sigma), scale, per_unit)
        dmu[...] = scale * mu
        dsigma[...] = scale * (sigma - 1.0 / sigma)
    return value

"""A Gaussian posterior: its sample, its divergence from the prior, and both gradients.        rows r0 .. r1 - 1

    heads (B, 2 Z)   mu, s side by side        eps z sigma dz (B, Z)        sigma = c e^(s) | c e^(s/2) | c s by form

    sample       z = mu + sigma eps         kl grows by      1/2 (v + mu^2 - 1 - log(e + v)), v = sigma^2
    by_sample    dmu = dz + weight mu       ds = dz eps dsigma/ds + weight 1/2 (1 - 1/(e + v)) dv/ds

`divergence` none leaves the KL out; exact is the above; keras minimises 1/2 (e^s + mu^2 - 1 - s) instead, and notes both.
`totals` and `keras_totals` are float64, one number a row. Formulas: npae/layers/reparameterise.py, npae/losses/kl.py. Addresses in bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.elementary import exp, log
from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.codes import KERAS, LOG_VARIANCE, NONE, SIGMA
from npae.kernels.step.memory import array_at, copied, size_of


@jit(FAST)
def _become_sigma(s: Array, form: int, c: float) -> None:
    """sigma from the s of all rows: one loop, since a row may be shorter than a vector."""
    width, rate = s.dtype.type(c), s.dtype.type(0.5 if form == LOG_VARIANCE else 1.0)
    if form == SIGMA:
        for j in range(len(s)):
            s[j] = width * s[j]
    else:
        for j in range(len(s)):
            s[j] = width * exp(rate * s[j])


@jit(FAST)
def sample(
    kind: Any,
    form: int,
    divergence: int,
    c: float,
    epsilon: float,
    heads: int,
    eps: int,
    sigma: int,
    z: int,
    latent: int,
    totals: int,
    keras_totals: int,
    r0: int,
    r1: int,
) -> None:
    """z and sigma; each row's divergence."""
    size = size_of(kind)
    exact, keras = array_at(0.0, totals, r1), array_at(0.0, keras_totals, r1)
    for r in range(r0, r1):
        copied(kind, heads + size * (2 * r + 1) * latent, sigma + size * r * latent, latent)
    _become_sigma(array_at(kind, sigma + size * r0 * latent, (r1 - r0) * latent), form, c)
    for r in range(r0, r1):
        at = size * r * latent
        mu, s = array_at(kind, heads + 2 * at, latent), array_at(kind, heads + 2 * at + size * latent, latent)
        eps_r, sigma_r, z_r = array_at(kind, eps + at, latent), array_at(kind, sigma + at, latent), array_at(kind, z + at, latent)
        number = mu.dtype.type
        half, one, tiny = number(0.5), number(1), number(epsilon)
        rate = half if form == LOG_VARIANCE else one
        for j in range(latent):
            z_r[j] = mu[j] + sigma_r[j] * eps_r[j]
        if divergence != NONE:
            total, other, offset = 0.0, 0.0, number(np.log(c))
            for j in range(latent):
                v, squared = sigma_r[j] * sigma_r[j], mu[j] * mu[j]
                if epsilon != 0.0:
                    logarithm = half * log(tiny + v)
                elif form == SIGMA:
                    logarithm = log(sigma_r[j])
                else:
                    logarithm = rate * s[j] + offset
                total += np.float64(half * ((v - one) + squared) - logarithm)
                if divergence == KERAS:
                    other += np.float64(half * ((exp(s[j]) - one) - s[j] + squared))
            exact[r] = total
            if divergence == KERAS:
                keras[r] = other


@jit(FAST)
def by_sample(
    kind: Any,
    form: int,
    divergence: int,
    c: float,
    epsilon: float,
    weight: float,
    heads: int,
    dheads: int,
    eps: int,
    sigma: int,
    dz: int,
    latent: int,
    r0: int,
    r1: int,
) -> None:
    """dmu and ds side by side."""
    size = size_of(kind)
    for r in range(r0, r1):
        at = size * r * latent
        mu, s = array_at(kind, heads + 2 * at, latent), array_at(kind, heads + 2 * at + size * latent, latent)
        dmu, ds = array_at(kind, dheads + 2 * at, latent), array_at(kind, dheads + 2 * at + size * latent, latent)
        eps_r, sigma_r, dz_r = array_at(kind, eps + at, latent), array_at(kind, sigma + at, latent), array_at(kind, dz + at, latent)
        number = mu.dtype.type
        half, one, width, tiny, beta = number(0.5), number(1), number(c), number(epsilon), number(weight)
        rate = half if form == LOG_VARIANCE else one
        for j in range(latent):
            v = sigma_r[j] * sigma_r[j]
            dsigma = width if form == SIGMA else rate * sigma_r[j]
            dmu_j, ds_j = dz_r[j], dz_r[j] * eps_r[j] * dsigma
            if divergence != NONE and weight != 0.0:
                if divergence == KERAS:
                    slope = half * (exp(s[j]) - one)
                elif epsilon != 0.0:
                    slope = (one - one / (tiny + v)) * sigma_r[j] * dsigma
                elif form == SIGMA:
                    slope = (v - one) / s[j]
                else:
                    slope = rate * (v - one)
                dmu_j += beta * mu[j]
                ds_j += beta * slope
            dmu[j] = dmu_j
            ds[j] = ds_j

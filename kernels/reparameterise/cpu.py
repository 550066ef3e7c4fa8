"""z = mu + sigma eps, and its gradient, each in one pass, compiled.        all arrays (B, Z)"""

from __future__ import annotations

from npae.kernels.elementary import exp
from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array


@jit(FAST)
def reparameterise(mu: Array, s: Array, eps: Array, exponent: float, scale: float, deviation: Array, z: Array) -> None:
    """deviation = sigma eps        z = mu + deviation        sigma = scale exp(exponent s), or scale s where exponent is 0"""
    number = mu.dtype.type
    power, c = number(exponent), number(scale)
    flat_mu, flat_s, flat_eps = mu.reshape(-1), s.reshape(-1), eps.reshape(-1)
    flat_deviation, flat_z = deviation.reshape(-1), z.reshape(-1)
    if power == 0:
        for i in range(flat_mu.size):
            flat_deviation[i] = c * flat_s[i] * flat_eps[i]
            flat_z[i] = flat_mu[i] + flat_deviation[i]
    else:
        for i in range(flat_mu.size):
            flat_deviation[i] = c * exp(power * flat_s[i]) * flat_eps[i]
            flat_z[i] = flat_mu[i] + flat_deviation[i]


@jit(FAST)
def reparameterise_gradient(dz: Array, by: Array, factor: float, accumulate: bool, dmu: Array, ds: Array) -> None:
    """dmu (+)= dz        ds (+)= factor dz by"""
    f = dz.dtype.type(factor)
    flat_dz, flat_by, flat_dmu, flat_ds = dz.reshape(-1), by.reshape(-1), dmu.reshape(-1), ds.reshape(-1)
    if accumulate:
        for i in range(flat_dz.size):
            flat_dmu[i] += flat_dz[i]
            flat_ds[i] += f * flat_dz[i] * flat_by[i]
    else:
        for i in range(flat_dz.size):
            flat_dmu[i] = flat_dz[i]
            flat_ds[i] = f * flat_dz[i] * flat_by[i]

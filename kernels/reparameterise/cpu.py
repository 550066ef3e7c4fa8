"""z = mu + sigma eps by NumPy's own loops, its gradient in one compiled pass; no array in between.        all arrays (B, Z)"""

from __future__ import annotations

import math

import numpy as np

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array


def reparameterise(mu: Array, s: Array, eps: Array, exponent: float, scale: float, deviation: Array, z: Array) -> None:
    """deviation = sigma eps        z = mu + deviation        sigma = exp(exponent s + log scale), or scale s where exponent is 0"""
    np.multiply(s, exponent or scale, out=deviation)
    if exponent:
        deviation += math.log(scale)
        np.exp(deviation, out=deviation)
    deviation *= eps
    np.add(mu, deviation, out=z)


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

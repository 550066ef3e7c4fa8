"""z = mu + sigma eps, and its gradient.        all arrays (B, Z)"""

from __future__ import annotations

import numpy as np

from npae.kernels.kernel import Array


def reparameterise(mu: Array, s: Array, eps: Array, exponent: float, scale: float, deviation: Array, z: Array) -> None:
    """deviation = sigma eps        z = mu + deviation        sigma = scale exp(exponent s), or scale s where exponent is 0"""
    sigma = scale * (np.exp(exponent * s) if exponent else s)
    deviation[...] = sigma * eps
    z[...] = mu + deviation


def reparameterise_gradient(dz: Array, by: Array, factor: float, accumulate: bool, dmu: Array, ds: Array) -> None:
    """dmu (+)= dz        ds (+)= factor dz by"""
    dmu[...] = dmu + dz if accumulate else dz
    ds[...] = ds + factor * dz * by if accumulate else factor * dz * by

"""Kullback-Leibler divergence of a diagonal Gaussian posterior from the standard normal prior.      mu s (B, Z), nats per image

    KL(N(mu, sigma^2) || N(0, I)) = (1/B) sum_B sum_Z  1/2 (sigma^2 + mu^2 - 1 - log sigma^2)

    form          in s                                    dmu       ds
    log_std       1/2 (exp(2s) + mu^2 - 1 - 2s)           mu / B    (exp(2s) - 1) / B
    log_variance  1/2 (exp(s) + mu^2 - 1 - s)             mu / B    (exp(s) - 1) / 2B
    sigma         1/2 (s^2 + mu^2 - 1 - 2 log s)          mu / B    (s - 1/s) / B

Free bits (Kingma et al. 2016, equation 15) give each latent unit some nats for nothing: L = sum_Z max(free_bits, KL_z), KL_z the mean over
the batch; a unit below has no gradient. `exact` stays the divergence itself.
Source: Kingma & Welling 2014, appendix B.
"""

from __future__ import annotations

import math

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.layers.node import Node, scale
from npae.layers.reparameterise import check_form


class GaussianKL(Node):
    """KL(N(mu, sigma(s)^2) || N(0, I)), mean over the batch, with s in the given form."""

    def __init__(self, form: str = "log_std", free_bits: float = 0.0) -> None:
        if not (math.isfinite(free_bits) and free_bits >= 0):
            raise InputError(f"free_bits {free_bits} is not a number of nats per latent unit: it must be finite and at least 0")
        self.form = check_form(form)
        self.free_bits = free_bits

    def forward(self, mu: Array, s: Array) -> float:
        """sum_Z max(free_bits, KL_z); the gradients come in the same pass"""
        self.dmu, self.ds = self.buffer("dmu", mu.shape), self.buffer("ds", s.shape)
        self.per_unit = self.buffer("per_unit", (mu.shape[1],), np.float64)
        kernel = self.backend.kernel(f"gaussian_kl_{self.form}")
        self.exact: float = kernel(mu, s, 1 / len(mu), self.dmu, self.ds, self.per_unit)
        return float(self.per_unit.clip(self.free_bits).sum()) if self.free_bits else self.exact

    def backward(self, weight: float = 1.0) -> tuple[Array, Array]:
        """weight * (dmu, ds), and zero for the units that free bits hold up"""
        for gradient in (self.dmu, self.ds):
            scale(gradient, weight)
            if self.free_bits:
                gradient[:, self.per_unit < self.free_bits] = 0
        return self.dmu, self.ds

"""Kullback-Leibler divergence of a diagonal Gaussian posterior from the standard normal prior.      mu s (B, Z), nats per image

    KL(N(mu, sigma^2) || N(0, I)) = (1/B) sum_B sum_Z  1/2 (sigma^2 + mu^2 - 1 - log sigma^2)

    form          in s                                    dmu       ds
    log_std       1/2 (exp(2s) + mu^2 - 1 - 2s)           mu / B    (exp(2s) - 1) / B
    log_variance  1/2 (exp(s) + mu^2 - 1 - s)             mu / B    (exp(s) - 1) / 2B
    sigma         1/2 (s^2 + mu^2 - 1 - 2 log s)          mu / B    (s - 1/s) / B

noise_scale c: the noise that is drawn has standard deviation c, so sigma is c times what the head says: s + log c, s + 2 log c and c s take
the place of s above. epsilon e keeps the logarithm finite, as ADCME's example does: with v = sigma^2

    1/2 (v + mu^2 - 1 - log(e + v))      ds = 1/2B (1 - 1/(e + v)) dv/ds      dv/ds = 2v (log_std), v (log_variance), 2 c^2 s (sigma)

which lies below the divergence, by less than e/2v.
Free bits (Kingma et al. 2016, equation 15) give each latent unit some nats for nothing: L = sum_Z max(free_bits, KL_z), KL_z the mean over
the batch; a unit below has no gradient. `exact` stays the divergence itself.
Source: Kingma & Welling 2014, appendix B. Raises InputError for free_bits, noise_scale and epsilon that mean nothing.
"""

from __future__ import annotations

import math

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.layers.node import Node, scale
from npae.layers.reparameterise import EXPONENT, check_form, check_noise_scale


class GaussianKL(Node):
    """KL(N(mu, sigma(s)^2) || N(0, I)), mean over the batch, with s in the given form."""

    def __init__(self, form: str = "log_std", free_bits: float = 0.0, *, noise_scale: float = 1.0, epsilon: float = 0.0) -> None:
        if not (math.isfinite(free_bits) and free_bits >= 0):
            raise InputError(f"free_bits {free_bits} is not a number of nats per latent unit: it must be finite and at least 0")
        if not (math.isfinite(epsilon) and epsilon >= 0):
            raise InputError(f"kl_epsilon {epsilon} is nothing to add to a variance: it must be finite and at least 0")
        self.form, self.noise_scale = check_form(form), check_noise_scale(noise_scale)
        self.free_bits, self.epsilon = free_bits, epsilon

    def forward(self, mu: Array, s: Array) -> float:
        """sum_Z max(free_bits, KL_z); the gradients come in the same pass"""
        self.dmu, self.ds = self.buffer("dmu", mu.shape), self.buffer("ds", s.shape)
        self.per_unit = self.buffer("per_unit", (mu.shape[1],), np.float64)
        self.exact: float = self._with_epsilon(mu, s) if self.epsilon else self._by_kernel(mu, s)
        return self.backend.number(self.per_unit.clip(self.free_bits).sum()) if self.free_bits else self.exact

    def backward(self, weight: float = 1.0) -> tuple[Array, Array]:
        """weight * (dmu, ds), and zero for the units that free bits hold up"""
        for gradient in (self.dmu, self.ds):
            scale(gradient, weight)
            if self.free_bits:
                self.backend.xp.copyto(gradient, 0, where=self.per_unit < self.free_bits)
        return self.dmu, self.ds

    def _by_kernel(self, mu: Array, s: Array) -> float:
        """The table's row, with c in it."""
        xp, c = self.backend.xp, self.noise_scale
        if c != 1:
            move, by = (xp.multiply, c) if self.form == "sigma" else (xp.add, math.log(c) / EXPONENT[self.form])
            s = move(s, by, out=self.buffer("scaled", s.shape))
        value: float = self.backend.kernel(f"gaussian_kl_{self.form}")(mu, s, 1 / len(mu), self.dmu, self.ds, self.per_unit)
        if self.form == "sigma" and c != 1:
            self.ds *= c
        return value

    def _with_epsilon(self, mu: Array, s: Array) -> float:
        """1/2 (v + mu^2 - 1 - log(e + v)) in plain array code; mu and s are small beside the layers."""
        xp, v, w = self.backend.xp, self.buffer("v", s.shape), self.buffer("w", s.shape)
        if self.form == "sigma":
            xp.multiply(s, s, out=v)
        else:
            xp.exp(xp.multiply(s, 2 * EXPONENT[self.form], out=v), out=v)
        v *= self.noise_scale**2
        xp.add(v, self.epsilon, out=w)  # w = e + v
        kl = xp.subtract(v, xp.log(w, out=self.ds), out=self.ds)
        kl += xp.multiply(mu, mu, out=self.dmu)
        kl -= 1
        kl *= 0.5 / len(mu)
        xp.sum(kl, axis=0, dtype=np.float64, out=self.per_unit)
        xp.subtract(1, xp.divide(1, w, out=w), out=w)
        w *= 1 / len(mu)
        dv_half = (
            v if self.form == "log_std" else xp.multiply(*((v, 0.5) if self.form == "log_variance" else (s, self.noise_scale**2)), out=v)
        )
        xp.multiply(w, dv_half, out=self.ds)  # 1/2B (1 - 1/(e + v)) dv/ds
        xp.multiply(mu, 1 / len(mu), out=self.dmu)
        value: float = self.backend.number(self.per_unit.sum())
        return value

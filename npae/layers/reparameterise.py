"""Sampling from a diagonal Gaussian so that the gradient passes through: z = mu + sigma eps, eps ~ N(0, I).

The second head of the encoder says sigma in one of three ways; the name of the form is the name of what the head returns:

    form          sigma           z                       dmu    ds
    log_std       c exp(s)        mu + c exp(s) eps       dz     dz eps sigma
    log_variance  c exp(s / 2)    mu + c exp(s/2) eps     dz     dz eps sigma / 2
    sigma         c s             mu + c s eps            dz     dz eps c

mu s eps z (B, Z). c is `noise_scale`, 1 unless eps is to have another standard deviation (0.1 in Keras's example): the posterior's
standard deviation is then c times what the head says. eps is an argument: nothing random happens in here.
Source: Kingma & Welling 2014, "Auto-encoding variational Bayes", section 2.4; Rezende et al. 2014.
Raises InputError for an unknown form, and for a noise_scale that is not above 0.
"""

from __future__ import annotations

import math

from npae.backend import Array
from npae.errors import InputError, nearest
from npae.layers.node import Node

FORMS = ("log_std", "log_variance", "sigma")
EXPONENT = {"log_std": 1.0, "log_variance": 0.5}  # sigma = exp(exponent * s)


def check_form(form: str) -> str:
    """The name, if it is one of the three forms."""
    if form not in FORMS:
        raise InputError(f"posterior form '{form}' is not known{nearest(form, FORMS)}")
    return form


def check_noise_scale(noise_scale: float) -> float:
    """A standard deviation of eps: finite and above 0."""
    if not (math.isfinite(noise_scale) and noise_scale > 0):
        raise InputError(f"noise_scale {noise_scale} is not a standard deviation of the noise: it must be a finite number above 0")
    return float(noise_scale)


class Reparameterise(Node):
    """z = mu + sigma(s) eps, with s in the given form."""

    def __init__(self, form: str = "log_std", noise_scale: float = 1.0) -> None:
        self.form, self.noise_scale = check_form(form), check_noise_scale(noise_scale)
        self.exponent = EXPONENT.get(form, 0.0)

    def sigma(self, s: Array) -> Array:
        """The standard deviation that s stands for, the noise's own included."""
        if self.form == "sigma":
            return s if self.noise_scale == 1 else self.backend.xp.multiply(s, self.noise_scale, out=self.buffer("sigma", s.shape))
        sigma = self.backend.xp.multiply(s, EXPONENT[self.form], out=self.buffer("sigma", s.shape))
        sigma += math.log(self.noise_scale)
        return self.backend.xp.exp(sigma, out=sigma)

    def forward(self, mu: Array, s: Array, eps: Array) -> Array:
        """z = mu + sigma eps"""
        self.eps, self.deviation = eps, self.buffer("deviation", eps.shape)  # sigma eps
        z = self.buffer("z", mu.shape)
        self.backend.kernel("reparameterise")(mu, s, eps, self.exponent, self.noise_scale, self.deviation, z)
        return z

    def backward(self, dz: Array, onto: tuple[Array, Array] | None = None) -> tuple[Array, Array]:
        """dmu = dz,   ds = dz eps dsigma/ds,   added to `onto` where another term (the KL) pulls on mu and s as well"""
        dmu, ds = onto or (self.buffer("dmu", dz.shape), self.buffer("ds", dz.shape))
        # eps dsigma/ds: k times the deviation where sigma = c exp(k s), c eps where sigma = c s
        by, factor = (self.deviation, self.exponent) if self.exponent else (self.eps, self.noise_scale)
        self.backend.kernel("reparameterise_gradient")(dz, by, factor, onto is not None, dmu, ds)
        return dmu, ds

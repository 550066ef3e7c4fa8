"""Sampling from a diagonal Gaussian so that the gradient passes through: z = mu + sigma * eps, eps ~ N(0, I).

The second head of the encoder says sigma in one of three ways; the name of the form is the name of what the head returns:

    form          sigma         z                       dmu    ds
    log_std       exp(s)        mu + exp(s) eps         dz     dz eps sigma
    log_variance  exp(s / 2)    mu + exp(s/2) eps       dz     dz eps sigma / 2
    sigma         s             mu + s eps              dz     dz eps

mu s eps z (B, Z). eps is an argument: nothing random happens in here.
Source: Kingma & Welling 2014, "Auto-encoding variational Bayes", section 2.4; Rezende et al. 2014.
"""

from __future__ import annotations

from npae.backend import Array
from npae.errors import InputError, nearest
from npae.layers.node import Node

FORMS = ("log_std", "log_variance", "sigma")
_EXPONENT = {"log_std": 1.0, "log_variance": 0.5}  # sigma = exp(exponent * s)


def check_form(form: str) -> str:
    """The name, if it is one of the three forms."""
    if form not in FORMS:
        raise InputError(f"posterior form '{form}' is not known{nearest(form, FORMS)}")
    return form


class Reparameterise(Node):
    """z = mu + sigma(s) eps, with s in the given form."""

    def __init__(self, form: str = "log_std") -> None:
        self.form = check_form(form)

    def sigma(self, s: Array) -> Array:
        """The standard deviation that s stands for."""
        if self.form == "sigma":
            return s
        sigma = self.backend.xp.multiply(s, _EXPONENT[self.form], out=self.buffer("sigma", s.shape))
        return self.backend.xp.exp(sigma, out=sigma)

    def forward(self, mu: Array, s: Array, eps: Array) -> Array:
        """z = mu + sigma eps"""
        self.deviation = self.backend.xp.multiply(self.sigma(s), eps, out=self.buffer("deviation", eps.shape))
        self.eps = eps
        return self.backend.xp.add(mu, self.deviation, out=self.buffer("z", mu.shape))

    def backward(self, dz: Array) -> tuple[Array, Array]:
        """dmu = dz,   ds = dz eps dsigma/ds"""
        xp = self.backend.xp
        dmu = self.buffer("dmu", dz.shape)
        xp.copyto(dmu, dz)
        if self.form == "sigma":  # z = mu + s eps
            ds = xp.multiply(dz, self.eps, out=self.buffer("ds", dz.shape))
        else:  # z = mu + exp(k s) eps, and d/ds exp(k s) eps = k * deviation
            ds = xp.multiply(dz, self.deviation, out=self.buffer("ds", dz.shape))
            ds *= _EXPONENT[self.form]
        return dmu, ds

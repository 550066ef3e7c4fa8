"""InfoVAE with an MMD: how much of the KL to keep, and how hard to pull the codes of all data together towards the prior.

    L = E_q(z|x)[ -log p(x|z) ] + (1 - alpha) KL(q(z|x) || p(z)) + (alpha + lambda - 1) MMD^2_u(q(z), p(z))

    q(z|x) = N(mu(x), sigma(x)^2)    p(z) = N(0, I)    z = mu + sigma eps    w ~ p(z), fresh each step    x (B, F)   mu s eps z w (B, Z)

    forward    (mu, s) = encoder(x),  z = reparameterise(mu, s, eps),  y = decoder(z),  nll,  kl = KL(mu, s),  mmd = MMD^2(z, w)
    backward   dy = dnll,  dz = decoder'(dy) + (alpha + lambda - 1) dMMD^2,  (dmu, ds) = reparameterise'(dz) + (1 - alpha) dKL,  encoder'

The KL is the mutual information of x and z plus KL(q(z) || p(z)). Removing alpha of it leaves a code free to say more about x; the MMD,
which needs no density of q(z), then keeps the aggregated posterior at the prior.

    alpha = 0, lambda = 1    the VAE            alpha = 1    no KL at all: a WAE whose encoder is Gaussian ("MMD-VAE")

L is a bound of log p(x) where the KL has weight 1 or more and the MMD weight 0. MMD^2 is estimated without bias and may be negative.
Source: Zhao, Song & Ermon 2017, "InfoVAE: information maximizing variational autoencoders", section 4 (L_InfoVAE, with lambda and alpha).
Raises InputError for an alpha above 1 and for alpha + lambda below 1, where the objective would push away from the prior.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from npae import noise as streams
from npae.backend import Array
from npae.errors import InputError
from npae.losses import IMQMMD, RBFMMD
from npae.losses.mmd import check_kernel
from npae.models.checks import check_weight
from npae.models.terms import Terms
from npae.models.vae import VAE
from npae.noise import Noise


class InfoVAE(VAE):
    """Gaussian encoder, one draw, decoder; reconstruction, some of the KL, and MMD^2 between codes and prior."""

    kind = "infovae"
    summary = "InfoVAE with an MMD"
    minimum_rows = 2

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        alpha: float = 0.5,
        lambda_: float = 100.0,
        kernel: str = "rbf",
        bandwidth: str | float = "prior",
        posterior: str = "log_std",
        reconstruction: str = "bernoulli",
        eta: float = 1.0,
        activation: str = "leaky_relu",
        output: str | None = None,
        dropout: float = 0.0,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        self.kl_weight, self.mmd_weight = weights(alpha, check_weight("lambda", lambda_))
        self.mmd = RBFMMD(bandwidth) if check_kernel(kernel) == "rbf" else IMQMMD()
        own = ("alpha", "lambda_", "kernel", "bandwidth")
        super().__init__(**{name: value for name, value in self.spec.items() if name not in own} | {"beta": self.kl_weight})

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """prior (B, Z), eps (B, Z), and what dropout needs"""
        return {"prior": (streams.PRIOR, "normal", self.latent)} | super().noise_columns()

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> (mu, s) -> z -> y -> nll;  (mu, s) -> kl;  (z, w) -> mmd"""
        encoder_masks, decoder_masks = self.masks(noise)
        mu, s = self.encoder.forward(x, encoder_masks)
        z = self.reparameterise.forward(mu, s, noise.eps)
        with self.backend.beside("terms"):
            values = {"kl": self.kl.forward(mu, s), "mmd": self.mmd.forward(z, noise.prior, **held)}
        y = self.decoder.forward(z, decoder_masks)
        return Terms({"nll": self.likelihood.forward(y, x)} | values, {"kl": self.kl_weight, "mmd": self.mmd_weight})

    def backward(self) -> None:
        """the forward pass, bottom-up"""
        with self.backend.beside("terms"):
            pull_on_z, pull = self.mmd.backward(self.mmd_weight), self.kl.backward(self.kl_weight)
        dy = self.likelihood.backward()
        dz = self.decoder.backward(dy)
        self.backend.join("terms")
        dz += pull_on_z
        self.encoder.backward(self.reparameterise.backward(dz, onto=pull))

    def held_constant(self, x: Array, noise: Noise, *given: Array) -> dict[str, Any]:
        """The bandwidth sigma2, whose gradient is stopped."""
        if not isinstance(self.mmd, RBFMMD):
            return {}
        self.loss(x, noise=noise)
        return {"sigma2": self.mmd.sigma2}


def weights(alpha: float, lambda_: float) -> tuple[float, float]:
    """(1 - alpha, alpha + lambda - 1), both of at least 0."""
    if not (math.isfinite(alpha) and alpha <= 1):
        raise InputError(f"alpha {alpha} must be a finite number of at most 1: the KL is weighed by 1 - alpha")
    if alpha + lambda_ < 1:
        raise InputError(
            f"alpha {alpha} and lambda {lambda_}: the MMD is weighed by alpha + lambda - 1, below 0 here; take lambda {1 - alpha:g} or more"
        )
    return 1 - alpha, alpha + lambda_ - 1

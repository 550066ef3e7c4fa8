"""The denoising variational autoencoder: the posterior sees a corrupted x, the likelihood is that of the clean one.

    L = E_c(x~|x) E_q(z|x~)[ -log p(x|z) ] + beta E_c(x~|x) KL(q(z|x~) || p(z))        c: corruption.py, drawn anew each step

    q(z|x~) = N(mu(x~), sigma(x~)^2)    p(z) = N(0, I)    z = mu + sigma eps    x x~ (B, F)   mu s eps z (B, Z)

    forward    x~ = c(x),  (mu, s) = encoder(x~),  z = reparameterise(mu, s, eps),  y = decoder(z),  nll = likelihood(y, x),  kl = KL(mu, s)
    backward   dy = dnll,  dz = decoder'(dy),  (dmu, ds) = reparameterise'(dz) + beta dKL,  encoder'(dmu, ds)

For beta = 1 each x~ gives a bound of log p(x), with q(z|x~) as the posterior, so their mean is one: -L <= log p(x). Over all corruptions
the posterior is the mixture E_c q(z|x~), richer than one Gaussian. `posterior` and `encode` take rows as they are and corrupt nothing.
Source: Im, Ahn, Memisevic & Bengio 2017, "Denoising criterion for variational auto-encoding framework", equation 7.
Raises InputError for an unknown corruption, and for data that it cannot be applied to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npae import noise as streams
from npae.backend import Array
from npae.corruption import CORRUPTIONS, check_corruptible, check_corruption, check_likelihood, corrupt
from npae.models.terms import Terms
from npae.models.vae import VAE
from npae.noise import Noise


class DenoisingVAE(VAE):
    """Corruption, Gaussian encoder, one draw, decoder; the likelihood is that of the clean x."""

    kind = "denoising-vae"
    summary = "denoising variational autoencoder"

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        corruption: str = "clipped_gaussian",
        level: float = 0.3,
        beta: float = 1.0,
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
        self.corruption, self.level = check_corruption(corruption, level)
        super().__init__(**{name: value for name, value in self.spec.items() if name not in ("corruption", "level")})
        check_likelihood(corruption, reconstruction, unit_interval=self.likelihood.unit_interval)

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """corruption (B, F), eps (B, Z), and what dropout needs"""
        return {"corruption": (streams.CORRUPT, CORRUPTIONS[self.corruption].distribution, self.features)} | super().noise_columns()

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> noisy -> (mu, s) -> z -> y; nll compares y with x;  (mu, s) -> kl"""
        encoder_masks, decoder_masks = self.masks(noise)
        room = self.buffer("noisy", x.shape), self.buffer("mask", x.shape, bool)
        noisy = corrupt(self.backend, self.corruption, self.level, x, noise.corruption, *room)
        mu, s = self.encoder.forward(noisy, encoder_masks)
        z = self.reparameterise.forward(mu, s, noise.eps)
        with self.backend.beside("terms"):
            kl = self.kl.forward(mu, s)
        y = self.decoder.forward(z, decoder_masks)
        return Terms({"nll": self.likelihood.forward(y, x), "kl": kl}, {"kl": self.beta})

    def backward(self) -> None:
        """the forward pass, bottom-up"""
        with self.backend.beside("terms"):
            pull = self.kl.backward(self.beta)
        dy = self.likelihood.backward()
        dz = self.decoder.backward(dy)
        self.backend.join("terms")
        self.encoder.backward(self.reparameterise.backward(dz, onto=pull))

    def check_data(self, x: Array) -> Array:
        """x as every model reads it, if it can be corrupted in this way."""
        return check_corruptible(self.corruption, super().check_data(x))

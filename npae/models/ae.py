"""The plain autoencoder: reconstruct x from a code z of a few numbers.

    L = loss(decode(encode(x)), x)            x (B, F)   z (B, Z)   y (B, F)

    forward    z = encoder(x),  y = decoder(z),  L = loss(y, x)
    backward   dy = dloss,  dz = decoder'(dy),  encoder'(dz)

Source: Rumelhart, Hinton & Williams 1986; Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks".
It has no prior: codes to decode come from a Gaussian fitted to the training codes (`sample`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from npae import noise as streams
from npae.backend import Array
from npae.errors import InputError
from npae.losses import make_reconstruction
from npae.models import networks
from npae.models.model import Model
from npae.models.terms import Terms
from npae.noise import Noise


class AE(Model):
    """Encoder, code, decoder, one reconstruction loss."""

    kind = "ae"
    summary = "plain autoencoder"
    has_prior = False

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        reconstruction: str = "squared_error",
        eta: float = 1.0,
        activation: str = "leaky_relu",
        code_activation: str = "linear",
        output: str | None = None,
        dropout: float = 0.0,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        widths = (features, *networks.check_widths(features, hidden, latent))
        style: dict[str, Any] = {"activation_name": activation, "dropout": dropout, "initialiser": initialiser}
        self.features, self.latent = features, latent
        self.likelihood, output = make_reconstruction(reconstruction, eta, output)
        self.encoder = networks.encoder(widths, latent, code_activation=code_activation, **style)
        self.decoder = networks.decoder((latent, *widths[::-1]), output=output, **style)
        self.build(seed=seed, dtype=dtype, backend_name=backend)

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> z -> y -> loss"""
        encoder_masks, decoder_masks = self.masks(noise)
        z = self.encoder.forward(x, encoder_masks)
        y = self.decoder.forward(z, decoder_masks)
        return Terms({"reconstruction": self.likelihood.forward(y, x)})

    def backward(self) -> None:
        """loss -> dy -> dz -> parameters"""
        dy = self.likelihood.backward()
        dz = self.decoder.backward(dy)
        self.encoder.backward(dz)

    def sample(self, rows: int, *, seed: int = 0, y: Array | None = None, like: Array | None = None) -> Array:
        """New data from a Gaussian fitted to the codes of the rows of `like`: a plain autoencoder has no prior of its own."""
        if like is None:
            raise InputError("a plain autoencoder has no prior to sample from: pass like=x, rows whose codes a Gaussian is fitted to")
        codes = self.encode(like).astype(np.float64)
        if len(codes) < 2:
            raise InputError(f"like has {len(codes)} row: fitting a Gaussian to codes needs at least 2")
        covariance = np.atleast_2d(np.cov(codes, rowvar=False))
        scales, axes = np.linalg.eigh(covariance)
        z = self.prior(rows, seed, streams.CODES) * np.sqrt(scales.clip(0)) @ axes.T + codes.mean(axis=0)
        return self.decode(z, y)

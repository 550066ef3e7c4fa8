"""The denoising autoencoder: encode a corrupted x, reconstruct the clean one.

    L = loss(decode(encode(c(x))), x)         x (B, F)   z (B, Z)   y (B, F)        c: corruption.py, drawn anew each step

    forward    x~ = c(x),  z = encoder(x~),  y = decoder(z),  L = loss(y, x)
    backward   the plain autoencoder's: x and its corruption are data, so nothing flows into them

A code that is larger than the data, which a plain autoencoder would copy through, has to tell signal from noise here. The loss is measured
from corrupted rows on held-out data too; `encode` and `reconstruct` take rows as they are, clean or noisy, and corrupt nothing.
Source: Vincent, Larochelle, Bengio & Manzagol 2008, "Extracting and composing robust features with denoising autoencoders".
Raises InputError for an unknown corruption, and for data that it cannot be applied to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npae import noise as streams
from npae.backend import Array
from npae.corruption import CORRUPTIONS, check_corruptible, check_corruption, check_likelihood, corrupt
from npae.models.ae import AE
from npae.models.terms import Terms
from npae.noise import Noise


class DenoisingAE(AE):
    """Corruption, encoder, code, decoder; the loss is that of the clean x."""

    kind = "denoising"
    summary = "denoising autoencoder"

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        corruption: str = "gaussian",
        level: float = 0.3,
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
        self.corruption, self.level = check_corruption(corruption, level)
        super().__init__(**{name: value for name, value in self.spec.items() if name not in ("corruption", "level")})
        check_likelihood(corruption, reconstruction, unit_interval=self.likelihood.unit_interval)

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """corruption (B, F), and what dropout needs"""
        return {"corruption": (streams.CORRUPT, CORRUPTIONS[self.corruption].distribution, self.features)} | super().noise_columns()

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> noisy -> z -> y; the loss compares y with x"""
        encoder_masks, decoder_masks = self.masks(noise)
        room = self.buffer("noisy", x.shape), self.buffer("mask", x.shape, bool)
        noisy = corrupt(self.backend, self.corruption, self.level, x, noise.corruption, *room)
        z = self.encoder.forward(noisy, encoder_masks)
        y = self.decoder.forward(z, decoder_masks)
        return Terms({"reconstruction": self.likelihood.forward(y, x)})

    def check_data(self, x: Array) -> Array:
        """x as every model reads it, if it can be corrupted in this way."""
        return check_corruptible(self.corruption, super().check_data(x))

"""The adversarial autoencoder, or WAE-GAN: reconstruct, and code so that a discriminator cannot tell codes from prior draws.

    encoder, decoder   L = (1/B) sum_B c(x, decode(z)) - lambda (1/B) sum_B log D(z)            z = encoder(x)
    discriminator      L = -(1/B) sum_B [ log D(w) + log(1 - D(z)) ]                            w ~ N(0, I), fresh each step

    x (B, F)   z w (B, Z)   y (B, F)   l (2B, 1), D = sigmoid(l)

    forward    z = encoder(x),  y = decoder(z),  reconstruction = cost(y, x),  l = discriminator([w; z]),  both losses from l
    backward   dy = dcost,  dz = decoder'(dy) + lambda (dl through the discriminator, which is held still),  encoder'(dz)
               discriminator:  its own dl; nothing goes on to w or z

Where a WAE measures the distance of codes and prior by a kernel (wae.py), here a second network learns to see it: adversarial = -log D(z),
log 2 = 0.69 where it sees none. Each player's tensors have the gradient of its own loss, and all move in one step of Adam; the losses
of two epochs cannot be compared, since the discriminator that gives them has changed.
Sources: Makhzani, Shlens, Jaitly, Goodfellow & Frey 2015, "Adversarial autoencoders"; Tolstikhin, Bousquet, Gelly & Schoelkopf 2018,
"Wasserstein auto-encoders", algorithm 1. The encoder is deterministic, as in their experiments.
Raises InputError for widths, rates and weights that make no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from npae import noise as streams
from npae.backend import Array
from npae.layers import frozen
from npae.losses import DiscriminatorLoss, GeneratorLoss, make_reconstruction
from npae.models import networks
from npae.models.checks import check_weight
from npae.models.discriminator import discriminator
from npae.models.model import Model
from npae.models.terms import Terms
from npae.noise import Noise


class WAEGAN(Model):
    """Encoder, decoder, and a discriminator between codes and prior."""

    kind = "wae-gan"
    summary = "adversarial autoencoder (WAE-GAN)"
    players = ("discriminator",)
    comparable = False
    training_defaults: ClassVar[Mapping[str, Any]] = {"learning_rate": 1e-3, "beta1": 0.5}  # beta1: Tolstikhin, appendix C

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        lambda_: float = 10.0,
        discriminator_hidden: Sequence[int] = (128, 128),
        reconstruction: str = "squared_error",
        eta: float = 1.0,
        activation: str | Sequence[str] = "leaky_relu",
        output: str | None = None,
        dropout: float = 0.0,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        widths = (features, *networks.check_widths(features, hidden, latent))
        style: dict[str, Any] = {"activation_name": activation, "dropout": dropout, "initialiser": initialiser}
        self.features, self.latent, self.lambda_ = features, latent, check_weight("lambda", lambda_)
        self.likelihood, output = make_reconstruction(reconstruction, eta, output)
        self.encoder = networks.encoder(widths, latent, code_activation="linear", **style)
        self.decoder = networks.decoder((latent, *widths[::-1]), output=output, **style)
        self.discriminator = discriminator(latent, discriminator_hidden, dropout=0.0, initialiser=initialiser)
        self.generator_loss, self.discriminator_loss = GeneratorLoss(), DiscriminatorLoss()
        self.build(seed=seed, dtype=dtype, backend_name=backend)

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """prior (B, Z), and what dropout needs"""
        return {"prior": (streams.PRIOR, "normal", self.latent)} | super().noise_columns()

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> z -> y -> cost;  [w; z] -> l -> both losses"""
        encoder_masks, decoder_masks = self.masks(noise)
        z = self.encoder.forward(x, encoder_masks)
        y = self.decoder.forward(z, decoder_masks)
        both = self.buffer("both", (2 * len(x), self.latent))
        both[: len(x)], both[len(x) :] = noise.prior, z
        l = self.discriminator.forward(both)
        values = {
            "reconstruction": self.likelihood.forward(y, x),
            "adversarial": self.generator_loss.forward(l),
            "discriminator": self.discriminator_loss.forward(l),
        }
        return Terms(values, {"adversarial": self.lambda_, "discriminator": 0.0})

    def backward(self) -> None:
        """each player's own loss, bottom-up"""
        dz = self.decoder.backward(self.likelihood.backward())
        with frozen(self.discriminator):
            dboth = self.discriminator.backward(self.generator_loss.backward(self.lambda_))
        dz += dboth[len(dz) :]
        self.encoder.backward(dz)
        self.discriminator.backward(self.discriminator_loss.backward())

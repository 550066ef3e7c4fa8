"""The generative adversarial network: a decoder that learns to draw what a discriminator cannot tell from data.

    generator       L = -(1/B) sum_B log D(G(w))                                           w ~ N(0, I), fresh each step
    discriminator   L = -(1/B) sum_B [ log D(x) + log(1 - D(G(w))) ]                       D = sigmoid(discriminator(.))

    x (B, F)   w (B, Z)   logits a = decoder(w), y = sigmoid(a) = G(w)  (B, F)   l (2B, 1)

    forward    y = sigmoid(decoder(w)),  l = discriminator(2 [x; y] - 1),  both losses from l
    backward   generator:      dl -> through the discriminator, which is held still -> dy of the drawn rows -> decoder
               discriminator:  dl -> discriminator; nothing goes on to x or y

Each player's tensors have the gradient of its own loss, and all move in one step of Adam. Neither loss falls in the end: as the players get
better they hold each other, so no epoch is the best one. At D = 1/2 the losses are log 2 = 0.69 and 2 log 2 = 1.39.
The decoder is that of a VAE with the same options. There is no encoder and no likelihood: a GAN draws rows, and has no code and no log p(x)
for a given one. `dropout` and `label_smoothing` (losses/adversarial.py) keep the discriminator from being too sure.
Source: Goodfellow et al. 2014, "Generative adversarial nets", algorithm 1 with one step of each player at the same time.
Raises InputError for data outside [0, 1], for widths and rates that make no network, and where a code is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from npae import noise as streams
from npae.backend import Array
from npae.errors import InputError
from npae.layers import Sigmoid, frozen
from npae.losses import BernoulliLogits, DiscriminatorLoss, GeneratorLoss
from npae.models import networks
from npae.models.checks import check_rows
from npae.models.discriminator import discriminator
from npae.models.model import Model
from npae.models.terms import Terms
from npae.noise import Noise


class GAN(Model):
    """Decoder and discriminator, each with its own loss."""

    kind = "gan"
    summary = "generative adversarial network"
    players = ("discriminator",)
    has_encoder = False
    comparable = False
    training_defaults: ClassVar[Mapping[str, Any]] = {"learning_rate": 1e-3, "beta1": 0.5}  # beta1: Radford et al. 2016, section 4

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (256, 128),
        latent: int = 16,
        *,
        discriminator_hidden: Sequence[int] = (256, 128),
        label_smoothing: float = 0.1,
        activation: str | Sequence[str] = "leaky_relu",
        dropout: float = 0.3,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        widths = (features, *networks.check_widths(features, hidden, latent))
        self.features, self.latent = features, latent
        self.likelihood = BernoulliLogits()  # never a loss here: it says that the decoder's output are logits, as a VAE's
        self.decoder = networks.decoder(
            (latent, *widths[::-1]), activation_name=activation, output="linear", dropout=0.0, initialiser=initialiser
        )
        self.sigmoid = Sigmoid()
        self.discriminator = discriminator(features, discriminator_hidden, dropout=dropout, initialiser=initialiser)
        self.generator_loss, self.discriminator_loss = GeneratorLoss(), DiscriminatorLoss(label_smoothing)
        self.build(seed=seed, dtype=dtype, backend_name=backend)

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """prior (B, Z), and for each dropout of the discriminator (B, 2H): for the real row, and for the drawn one"""
        dropouts = enumerate(self.discriminator.dropouts())
        masks = {f"dropout{k}": (streams.DROPOUT + k, "uniform", 2 * layer.features) for k, layer in dropouts}
        return {"prior": (streams.PRIOR, "normal", self.latent)} | masks

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """w -> y;  [x; y] -> l -> both losses"""
        both = self.buffer("both", (2 * len(x), self.features))
        both[: len(x)] = x
        both[len(x) :] = self.sigmoid.forward(self.decoder.forward(noise.prior))
        both *= 2  # in [-1, 1]: a dark pixel, as most are, would hand the first layer nothing to learn from
        both -= 1
        l = self.discriminator.forward(both, self._stacked_masks(noise))
        values = {"generator": self.generator_loss.forward(l), "discriminator": self.discriminator_loss.forward(l)}
        return Terms(values, {"discriminator": 0.0})

    def backward(self) -> None:
        """each player's own loss, bottom-up"""
        with frozen(self.discriminator):
            dboth = self.discriminator.backward(self.generator_loss.backward())
        dboth *= 2
        self.decoder.backward(self.sigmoid.backward(dboth[len(dboth) // 2 :]))
        self.discriminator.backward(self.discriminator_loss.backward())

    def _stacked_masks(self, noise: Noise) -> list[Array]:
        """The dropout numbers of the discriminator's layers: (B, 2H) -> (2B, H), as the rows are stacked"""
        stacked = []
        for k, layer in enumerate(self.discriminator.dropouts() if self.recording else []):
            u, half = noise[f"dropout{k}"], layer.features
            mask = self.buffer(f"mask{k}", (2 * len(u), half))
            mask[: len(u)], mask[len(u) :] = u[:, :half], u[:, half:]
            stacked.append(mask)
        return stacked

    def checked_rows(self, x: Array) -> Array:
        """x as every model reads it, in [0, 1]: the decoder draws nothing else."""
        x = check_rows(x, kind=self.kind, features=self.features, dtype=self.dtype, unit_interval=False)
        low, high = float(x.min()), float(x.max())
        if low < 0 or high > 1:
            raise InputError(
                f"x ranges over [{low:.4g}, {high:.4g}]: this gan draws values in [0, 1], so they would be told apart at once;"
                " scale the data (--set scale=minmax)"
            )
        return x

"""The paired autoencoder: what comes out is another thing than what goes in, such as the same date in another language.

    L = loss(decode(encode(x)), y)            x (B, F)   z (B, Z)   y (B, T), the target of each row   l (B, T)

    forward    z = encoder(x),  l = decoder(z),  L = loss(l, y)
    backward   dl = dloss,  dz = decoder'(dl),  encoder'(dz)

The loss "categorical" reads y as text: `symbols` to choose from at each of T / symbols places, one-hot, in nats per row. Then -L is the
mean log p(y|x), with the places independent given x. Any other loss compares numbers. `reconstruct(x)` is what x is translated to: the
probability of every symbol at every place, or the numbers.
Source: the Keras document's "machine translation": the output is in another "language" than the input. Sutskever, Vinyals & Le 2014,
"Sequence to sequence learning with neural networks", has an encoder and a decoder that go from place to place; here all come at once.
Raises InputError for targets that the loss cannot read, and for sampling: there is no prior.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.losses import Categorical, make_reconstruction
from npae.models import networks
from npae.models.checks import check_rows
from npae.models.model import Model
from npae.models.terms import Terms
from npae.noise import Noise


class Paired(Model):
    """Encoder, code, decoder, and a loss that compares with the target; `target_features` is T."""

    kind = "paired"
    summary = "paired autoencoder: from x to another y, such as a translation"
    companion = "targets"
    has_prior = False
    training_defaults: ClassVar[Mapping[str, Any]] = {"epochs": 30}  # dates need no more

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (256,),
        latent: int = 32,
        *,
        target_features: int,
        symbols: int | None = None,
        reconstruction: str = "categorical",
        eta: float = 1.0,
        activation: str | Sequence[str] = "relu",
        code_activation: str = "linear",
        output: str | None = None,
        dropout: float = 0.0,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        widths = networks.check_widths(features, hidden, latent)
        style: dict[str, Any] = {"activation_name": activation, "dropout": dropout, "initialiser": initialiser}
        self.features, self.latent, self.target_features = features, latent, target_features
        self.likelihood, output = make_reconstruction(reconstruction, eta, output, symbols=symbols)
        if isinstance(self.likelihood, Categorical) and target_features % self.likelihood.symbols:
            raise InputError(f"target_features {target_features}: text in {symbols} symbols has a multiple of {symbols}")
        self.encoder = networks.encoder((features, *widths), latent, code_activation=code_activation, **style)
        self.decoder = networks.decoder((latent, *widths[::-1], target_features), output=output, **style)
        self.build(seed=seed, dtype=dtype, backend_name=backend)

    @property
    def outputs(self) -> int:
        """The numbers in a target."""
        return self.target_features

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> z -> l -> loss beside y"""
        (y,) = given
        encoder_masks, decoder_masks = self.masks(noise)
        z = self.encoder.forward(x, encoder_masks)
        logits = self.decoder.forward(z, decoder_masks)
        return Terms({"reconstruction": self.likelihood.forward(logits, y)})

    def backward(self) -> None:
        """loss -> dl -> dz -> parameters"""
        dlogits = self.likelihood.backward()
        dz = self.decoder.backward(dlogits)
        self.encoder.backward(dz)

    def sample(self, rows: int, *, seed: int = 0, y: Array | None = None) -> Array:
        """Refused: nothing says which codes are likely."""
        raise InputError(f"a {self.kind} model has no prior to sample from: it turns rows into their targets (reconstruct, npae translate)")

    def checked_rows(self, x: Array) -> Array:
        """x of any range: the loss looks at the targets alone."""
        return check_rows(x, kind=self.kind, features=self.features, dtype=self.dtype, unit_interval=False)

    def check_companion(self, y: Array | None, rows: int) -> tuple[Array, ...]:
        """(y,), which a Bernoulli needs in [0, 1], and text one-hot at each place."""
        (targets,) = super().check_companion(y, rows)
        host = self.backend.to_host(targets)
        if self.likelihood.unit_interval and (host.min() < 0 or host.max() > 1):
            raise InputError(
                f"targets range over [{host.min():.4g}, {host.max():.4g}]: reconstruction '{self.spec['reconstruction']}' needs them in"
                " [0, 1]; scale them, or take --set reconstruction=squared_error"
            )
        if isinstance(self.likelihood, Categorical):
            self._check_text(host, self.likelihood.symbols)
        return (targets,)

    def _check_text(self, y: Array, symbols: int) -> None:
        sums = y.reshape(len(y), -1, symbols).sum(axis=2)
        wrong = np.argwhere(np.abs(sums - 1) > 1e-3)
        if len(wrong):
            row, place = wrong[0]
            raise InputError(
                f"targets: row {row}, place {place} has {sums[row, place]:.4g} symbols of {symbols}: one is expected at each place, one-hot"
            )

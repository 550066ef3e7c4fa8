"""A VAE without an inference network: each row's posterior is found by gradient steps of its own, then the decoder makes one step.

    F(theta, q) = E_q(z)[ -log p(x|z) ] + KL(q(z) || p(z)),   q = N(mu, sigma^2) of this row alone         -F <= log p(x)

    x (B, F)   mu s eps z (B, Z)   y (B, F)   p(z) = N(0, I)   sigma = exp(s)   z = mu + sigma eps   theta: the decoder's parameters

    E step     from the prior, mu = s = 0: T steps of gradient descent on F with theta fixed            models/local.py
    M step     forward    z = reparameterise(mu, s, eps),  y = decoder(z),  nll = likelihood(y, x),  kl = KL(mu, s)
               backward   dy = dnll,  decoder'(dy);   (mu, s) is held constant, so nothing goes on from z

This is Idea 1 of the lecture notes, expectation maximisation: "many iterations for each training sample, and it is expensive". A VAE is
Idea 2: one network in place of those steps. The posterior is found anew for each batch and kept nowhere, so rows that were never trained on
are treated as all others, and a checkpoint holds the decoder alone. `encode`, `posterior` and `reconstruct` make the same steps, with the
same draws for every row. Because T steps only come near the best q, the bound is a little looser than it could be.
Source: Neal & Hinton 1998, "A view of the EM algorithm that justifies incremental, sparse, and other variants"; the lecture notes' Idea 1.
Raises InputError for a reconstruction that is a mean over pixels: the KL would outweigh it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npae import noise as streams
from npae.backend import Array
from npae.errors import InputError
from npae.layers import Chain, Reparameterise, inference
from npae.losses import GaussianKL, make_reconstruction
from npae.models import networks
from npae.models.checks import check_count, check_rate
from npae.models.local import LocalInference, draws_for
from npae.models.terms import Terms
from npae.models.vae import VAE
from npae.noise import Noise


class EMVAE(VAE):
    """Gradient steps on each row's (mu, s), one draw, decoder; reconstruction and KL."""

    kind = "em-vae"
    summary = "VAE without an encoder: expectation maximisation"

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        inner_steps: int = 20,
        inner_rate: float = 0.5,
        reconstruction: str = "bernoulli",
        eta: float = 1.0,
        activation: str | Sequence[str] = "leaky_relu",
        output: str | None = None,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        widths = (features, *networks.check_widths(features, hidden, latent))
        style: dict[str, Any] = {"activation_name": activation, "dropout": 0.0, "initialiser": initialiser}
        self.features, self.latent = features, latent
        self.inner_steps, self.inner_rate = check_count("inner_steps", inner_steps), check_rate("inner_rate", inner_rate)
        self.likelihood, output = make_reconstruction(reconstruction, eta, output)
        if self.likelihood.per_image(features) != 1:
            raise InputError(
                f"reconstruction '{reconstruction}' is a mean over pixels, and {self.kind} needs their sum; take bernoulli or gaussian"
            )
        self.encoder = self.start_network(widths, style)
        self.local, self.reparameterise, self.kl = LocalInference(), Reparameterise("log_std"), GaussianKL("log_std")
        self.decoder = networks.decoder((latent, *widths[::-1]), output=output, **style)
        self.build(seed=seed, dtype=dtype, backend_name=backend)

    def start_network(self, widths: Sequence[int], style: Mapping[str, Any]) -> Chain:
        """None: every row starts at the prior."""
        return Chain()

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """local (B, ceil(T/2) Z): the draws for the steps of a row; eps (B, Z)"""
        steps = {"local": (streams.LOCAL, "normal", draws_for(self.inner_steps) * self.latent)}
        return steps | {"eps": (streams.POSTERIOR, "normal", self.latent)}

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """E step: x -> (mu, s), held constant;  (mu, s) -> z -> y -> nll;  (mu, s) -> kl"""
        mu, s = held["posterior"] if held else self.descend(x, noise.local, *self.start(x))
        with inference(self.reparameterise, self.kl):
            z = self.reparameterise.forward(mu, s, noise.eps)
            kl = self.kl.forward(mu, s)
        y = self.decoder.forward(z)
        return Terms({"nll": self.likelihood.forward(y, x), "kl": kl})

    def backward(self) -> None:
        """the M step, bottom-up"""
        dy = self.likelihood.backward()
        self.decoder.backward(dy)

    def start(self, x: Array) -> tuple[Array, Array]:
        """(mu, s) of the prior"""
        zeros = self.backend.xp.zeros((len(x), self.latent), self.dtype)
        return zeros, zeros

    def descend(self, x: Array, draws: Array, mu: Array, s: Array) -> tuple[Array, Array]:
        """The E step: T steps on F from (mu, s)"""
        return self.local.descend(self, x, mu, s, draws, self.inner_steps, self.inner_rate)

    def held_constant(self, x: Array, noise: Noise, *given: Array) -> dict[str, Any]:
        """The posterior (mu, s) that the E step found."""
        with inference(self):
            mu, s = self.descend(x, noise.local, *self.start(x))
        return {"posterior": (mu.copy(), s.copy())}

    def encoded(self, x: Array, *given: Array) -> Any:
        """(mu, s) after the E step, with draws that depend on nothing: the same row has the same posterior wherever it stands."""
        xp, columns = self.backend.xp, draws_for(self.inner_steps) * self.latent
        draws = streams.normal(self.backend, 0, streams.LOCAL, 0, streams.row_numbers(1), xp.empty((1, columns), self.dtype))
        return self.descend(x, xp.broadcast_to(draws, (len(x), columns)), *self.start(x))

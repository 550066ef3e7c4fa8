"""The semi-amortised VAE: an inference network says where each row's own gradient steps start.

    F(theta, q) = E_q(z)[ -log p(x|z) ] + KL(q(z) || p(z))        q = N(mu, sigma^2)        -F <= log p(x)

    x (B, F)   mu s eps z (B, Z)   y (B, F)   p(z) = N(0, I)   sigma = exp(s)   z = mu + sigma eps   theta: the decoder's parameters

    start      (mu0, s0) = encoder(x),  F0 = F(theta, q0) with (dmu0, ds0) = dF0            encoder'(dmu0, ds0)
    E step     from (mu0, s0): T steps of gradient descent on F with theta fixed            models/local.py
    M step     z = reparameterise(mu, s, eps),  nll,  kl;   dy = dnll,  decoder'(dy)        (mu, s) is held constant

The encoder is a VAE's: it descends F at its own output, with theta fixed (term `encoder`). The decoder learns from the better posterior
that the steps find (the total). What the steps gain, encoder - total, is the amortisation gap as far as T steps close it.
Kim et al. differentiate through the steps as well; here, as in Krishnan et al., the encoder sees nothing of them.
Source: Krishnan, Liang & Hoffman 2018, "On the challenges of learning with inference networks on sparse, high-dimensional data",
algorithm 1; Kim, Wiseman, Miller, Sontag & Rush 2018, "Semi-amortized variational autoencoders".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npae.backend import Array
from npae.layers import Chain, inference
from npae.models import networks
from npae.models.em_vae import EMVAE
from npae.models.terms import Terms
from npae.noise import Noise


class SemiAmortisedVAE(EMVAE):
    """Encoder, gradient steps on each row's (mu, s), one draw, decoder; reconstruction and KL."""

    kind = "semi-amortised-vae"
    summary = "VAE whose encoder starts each row's own gradient steps"
    players = ("encoder",)

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        inner_steps: int = 10,
        inner_rate: float = 0.1,
        reconstruction: str = "bernoulli",
        eta: float = 1.0,
        activation: str | Sequence[str] = "leaky_relu",
        output: str | None = None,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(**self.spec)

    def start_network(self, widths: Sequence[int], style: Mapping[str, Any]) -> Chain:
        """x -> (mu0, s0)"""
        return networks.gaussian_encoder(widths, self.latent, form="log_std", **style)

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> (mu0, s0) -> F0;  E step -> (mu, s), held constant;  (mu, s) -> z -> y -> nll;  (mu, s) -> kl"""
        mu0, s0 = self.encoder.forward(x)
        start, dmu0, ds0 = self.local.gradient(self, x, mu0, s0, noise.eps)
        self.dmu0, self.ds0 = dmu0.copy(), ds0.copy()  # the steps use the same arrays again
        mu, s = held["posterior"] if held else self.descend(x, noise.local, mu0, s0)
        with inference(self.reparameterise, self.kl):
            z = self.reparameterise.forward(mu, s, noise.eps)
            kl = self.kl.forward(mu, s)
        y = self.decoder.forward(z)
        return Terms({"nll": self.likelihood.forward(y, x), "kl": kl, "encoder": start}, {"encoder": 0.0})

    def backward(self) -> None:
        """the M step; then the encoder, by the gradient at its own output"""
        dy = self.likelihood.backward()
        self.decoder.backward(dy)
        self.encoder.backward((self.dmu0, self.ds0))

    def start(self, x: Array) -> tuple[Array, Array]:
        """(mu0, s0) = encoder(x)"""
        mu0, s0 = self.encoder.forward(x)
        return mu0, s0

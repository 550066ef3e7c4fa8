"""The Wasserstein autoencoder with an MMD penalty: reconstruct, and pull the codes of a whole batch towards the prior.

    L = (1/B) sum_B c(x, decode(z)) + lambda MMD^2_u(z, w)          z ~ q(z|x),  w ~ p(z) = N(0, I), fresh each step

    x (B, F)   mu s eps z w (B, Z);  deterministic encoder: z = encoder(x);  Gaussian encoder: z = mu + sigma eps

    forward    z as above,  y = decoder(z),  reconstruction = cost(y, x),  mmd = MMD^2(z, w)
    backward   dy = dcost,  dz = decoder'(dy) + lambda dMMD^2/dz,  then as a VAE's encoder, without a KL

Unlike the VAE's KL, the penalty looks at the batch's codes together, not at each q(z|x).
MMD^2 is estimated without bias and may be negative.
Source: Tolstikhin, Bousquet, Gelly & Schoelkopf 2018, "Wasserstein auto-encoders", algorithm 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npae import noise as streams
from npae.backend import Array
from npae.errors import InputError, nearest
from npae.layers import Reparameterise
from npae.losses import IMQMMD, RBFMMD, make_reconstruction
from npae.losses.mmd import check_kernel
from npae.models import networks
from npae.models.checks import check_weight
from npae.models.model import Model
from npae.models.terms import Terms
from npae.noise import Noise

ENCODERS = ("gaussian", "deterministic")


class WAE(Model):
    """Gaussian or deterministic encoder, decoder; reconstruction and MMD^2 between codes and prior."""

    kind = "wae"
    summary = "Wasserstein autoencoder with an MMD penalty"
    minimum_rows = 2

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        lambda_: float = 10.0,
        encoder: str = "gaussian",
        kernel: str = "rbf",
        bandwidth: str | float = "flux",
        stop_gradient: bool = True,
        posterior: str = "log_std",
        reconstruction: str = "squared_error",
        eta: float = 1.0,
        activation: str = "leaky_relu",
        output: str | None = None,
        dropout: float = 0.0,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        if encoder not in ENCODERS:
            raise InputError(f"encoder '{encoder}' is not known{nearest(encoder, ENCODERS)}")
        widths = (features, *networks.check_widths(features, hidden, latent))
        style: dict[str, Any] = {"activation_name": activation, "dropout": dropout, "initialiser": initialiser}
        self.features, self.latent = features, latent
        self.lambda_, self.is_gaussian = check_weight("lambda", lambda_), encoder == "gaussian"
        self.likelihood, output = make_reconstruction(reconstruction, eta, output)
        if self.is_gaussian:
            self.encoder = networks.gaussian_encoder(widths, latent, form=posterior, **style)
        else:
            self.encoder = networks.encoder(widths, latent, code_activation="linear", **style)
        self.reparameterise = Reparameterise(posterior)
        self.decoder = networks.decoder((latent, *widths[::-1]), output=output, **style)
        rbf = RBFMMD(bandwidth, stop_gradient=stop_gradient)
        self.mmd = rbf if check_kernel(kernel) == "rbf" else IMQMMD()
        self.build(seed=seed, dtype=dtype, backend_name=backend)

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """eps (B, Z) for a Gaussian encoder, prior (B, Z), and what dropout needs"""
        eps = {"eps": (streams.POSTERIOR, "normal", self.latent)} if self.is_gaussian else {}
        return eps | {"prior": (streams.PRIOR, "normal", self.latent)} | super().noise_columns()

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> z -> y -> cost;  (z, w) -> mmd"""
        encoder_masks, decoder_masks = self.masks(noise)
        code = self.encoder.forward(x, encoder_masks)
        z = self.reparameterise.forward(code[0], code[1], noise.eps) if self.is_gaussian else code
        with self.backend.beside("terms"):
            mmd = self.mmd.forward(z, noise.prior, **held)
        y = self.decoder.forward(z, decoder_masks)
        return Terms({"reconstruction": self.likelihood.forward(y, x), "mmd": mmd}, {"mmd": self.lambda_})

    def backward(self) -> None:
        """the forward pass, bottom-up"""
        with self.backend.beside("terms"):
            pull = self.mmd.backward(self.lambda_)
        dz = self.decoder.backward(self.likelihood.backward())
        self.backend.join("terms")
        dz += pull
        self.encoder.backward(self.reparameterise.backward(dz) if self.is_gaussian else dz)

    def held_constant(self, x: Array, noise: Noise, *given: Array) -> dict[str, Any]:
        """The bandwidth sigma2, where its gradient is stopped."""
        if not isinstance(self.mmd, RBFMMD) or self.mmd.through_bandwidth:
            return {}
        self.loss(x, noise=noise)
        return {"sigma2": self.mmd.sigma2}

    @property
    def has_posterior(self) -> bool:
        """Only a Gaussian encoder has one."""
        return self.is_gaussian

    def posterior(self, x: Array, y: Array | None = None) -> tuple[Array, Array]:
        """Mean and standard deviation of q(z|x): two (N, Z) arrays."""
        if not self.is_gaussian:
            raise InputError("this wae has a deterministic encoder: it has codes (encode), and no posterior")
        return self.gaussian_posterior(self.reparameterise, x, y)

    def _code(self, encoded: Any) -> Array:
        code: Array = encoded[0] if self.is_gaussian else encoded
        return code

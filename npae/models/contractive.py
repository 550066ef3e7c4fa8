"""The contractive autoencoder: a code that moves little when x does.

    L = loss(decode(z), x) + lambda (1/B) sum_B ||dz/dx||_F^2 + l2 sum p^2,   z = encode(x)          x (B, F)   z (B, Z)   y (B, F)

    forward    h_l = f_l(h_{l-1} W_l + b_l),  z = h_L,  y = decoder(z),  reconstruction = loss(y, x),  contraction = ||dz/dx||^2
    backward   dy = dloss,  dz = decoder'(dy),  then down the encoder: dh_l + lambda dcontraction/dh_l,  dW_l + lambda dcontraction/dW_l

Reconstruction keeps the directions along which the data vary, the penalty lets go of all others. Both W and the activations are in it,
so its gradient holds second derivatives: losses/contractive.py. Only smooth activations have them; dropout is not offered.
The paper ties the decoder's weights to the encoder's. Here they are free, and a code k times smaller read by weights k times larger would
make the penalty k^2 times smaller for nothing; l2, the sum of the decoder's squared parameters, is what that costs.
Source: Rifai, Vincent, Muller, Glorot & Bengio 2011, "Contractive auto-encoders: explicit invariance during feature extraction".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npae.backend import Array
from npae.layers import Chain, Dense, activation
from npae.losses import L2, make_reconstruction
from npae.losses.contractive import Contraction
from npae.models import networks
from npae.models.ae import AE
from npae.models.checks import check_weight
from npae.models.terms import Terms
from npae.noise import Noise
from npae.parameters import Parameter


class ContractiveAE(AE):
    """Encoder, code, decoder; reconstruction and the norm of the encoder's Jacobian."""

    kind = "contractive"
    summary = "contractive autoencoder"

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        lambda_: float = 0.1,
        l2: float = 1e-3,
        reconstruction: str = "squared_error",
        eta: float = 1.0,
        activation: str = "tanh",
        code_activation: str = "linear",
        output: str | None = None,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        widths = (features, *networks.check_widths(features, hidden, latent), latent)
        names = (*(activation for _ in widths[1:-1]), code_activation)
        self.contraction = Contraction(names)
        self.lambda_, self.l2_weight = check_weight("lambda", lambda_), check_weight("l2", l2)
        self.features, self.latent = features, latent
        self.likelihood, output = make_reconstruction(reconstruction, eta, output)
        self.encoder = Chain(*(_layer(widths, place, name, initialiser) for place, name in enumerate(names)))
        self.decoder = networks.decoder(widths[::-1], activation_name=activation, output=output, dropout=0.0, initialiser=initialiser)
        self.l2 = L2()
        self.build(seed=seed, dtype=dtype, backend_name=backend)
        self.l2.attach(self.parameters, "decoder")

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> h_1 .. h_L = z -> y -> loss;  (W, h) -> contraction"""
        h, outputs = x, []
        for layer in self.encoder.layers:
            h = layer.forward(h)
            outputs.append(h)
        y = self.decoder.forward(h)
        values = {
            "reconstruction": self.likelihood.forward(y, x),
            "contraction": self.contraction.forward([W.value for W in self.weights()], outputs),
            "l2": self.l2.forward(),
        }
        return Terms(values, {"contraction": self.lambda_, "l2": self.l2_weight})

    def backward(self) -> None:
        """the forward pass, bottom-up"""
        self.l2.backward(self.l2_weight)
        dW, dh = self.contraction.backward(self.lambda_)
        dy = self.likelihood.backward()
        dz = self.decoder.backward(dy)
        for layer, extra in zip(reversed(self.encoder.layers), reversed(dh), strict=True):
            dz += extra
            dz = layer.backward(dz)
        for W, extra in zip(self.weights(), dW, strict=True):
            W.grad += extra

    def weights(self) -> list[Parameter]:
        """W_1 .. W_L of the encoder."""
        return [self.parameters[f"encoder.{place}.0.W"] for place in range(len(self.encoder.layers))]


def _layer(widths: Sequence[int], place: int, name: str, initialiser: str) -> Chain:
    """One layer of the encoder with its activation."""
    dense = Dense(widths[place], widths[place + 1], initialiser=initialiser, needs_dx=place > 0)
    return Chain(dense, *activation(name))

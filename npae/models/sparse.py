"""The sparse autoencoder: reconstruct x from a code of which few units are active.

    L = loss(decode(z), x) + lambda S(z),   z = encode(x)            x (B, F)   z (B, Z)   y (B, F)

    penalty l1    S = (1/B) sum |z|                             code relu: units that are not needed are exactly 0
    penalty kl    S = sum_Z KL(target_rate || mean over the batch of z_j)      code sigmoid: every unit lies in (0, 1)

    forward    z = encoder(x),  y = decoder(z),  reconstruction = loss(y, x),  sparsity = S(z)
    backward   dy = dloss,  dz = decoder'(dy) + lambda dS,  encoder'(dz)

The code may be larger than the data: the penalty, not the width, is what keeps it from copying. Under l1 the decoder can undo a smaller
code by larger weights, so lambda sets how many units are silent, and not how small they are. The kl of a batch depends on all its rows: it
is estimated well only where the batch is larger than 1 / target_rate. It is a few nats where l1 is a few per row: a lambda of about 1.
Sources: Ng 2011, "Sparse autoencoder", lecture notes CS294A (kl); Goodfellow, Bengio & Courville 2016, section 14.2.1 (l1).
Raises InputError for an unknown penalty, and for a code that kl cannot read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npae.backend import Array
from npae.errors import InputError
from npae.losses.sparsity import make_penalty
from npae.models.ae import AE
from npae.models.checks import check_weight
from npae.models.terms import Terms
from npae.noise import Noise

CODE_OF = {"l1": "relu", "kl": "sigmoid"}  # the code that each penalty is made for


class SparseAE(AE):
    """Encoder, sparse code, decoder; reconstruction and a penalty on the code."""

    kind = "sparse"
    summary = "sparse autoencoder"

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 64,
        *,
        penalty: str = "l1",
        lambda_: float = 0.3,
        target_rate: float = 0.05,
        reconstruction: str = "squared_error",
        eta: float = 1.0,
        activation: str = "leaky_relu",
        code_activation: str | None = None,
        output: str | None = None,
        dropout: float = 0.0,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        self.sparsity, self.lambda_ = make_penalty(penalty, target_rate), check_weight("lambda", lambda_)
        code = code_activation or CODE_OF[penalty]
        if penalty == "kl" and code != "sigmoid":
            raise InputError(f"code_activation '{code}': penalty 'kl' reads a code between 0 and 1; take sigmoid, or leave it unset")
        own = ("penalty", "lambda_", "target_rate")
        super().__init__(**{name: value for name, value in self.spec.items() if name not in own} | {"code_activation": code})

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> z -> y -> loss;  z -> sparsity"""
        encoder_masks, decoder_masks = self.masks(noise)
        z = self.encoder.forward(x, encoder_masks)
        y = self.decoder.forward(z, decoder_masks)
        return Terms({"reconstruction": self.likelihood.forward(y, x), "sparsity": self.sparsity.forward(z)}, {"sparsity": self.lambda_})

    def backward(self) -> None:
        """the forward pass, bottom-up"""
        dy = self.likelihood.backward()
        dz = self.decoder.backward(dy)
        dz += self.sparsity.backward(self.lambda_)
        self.encoder.backward(dz)

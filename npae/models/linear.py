"""The linear autoencoder: no activation anywhere, so that its optimum is known.

    L = ||y - x||^2,   z = x W1 W2 ... + b,   y = z V1 V2 ... + c         x y (B, F)   z (B, Z)

    forward    z = encoder(x),  y = decoder(z),  L = loss(y, x)               the plain autoencoder's page, with linear layers
    backward   dy = dloss,  dz = decoder'(dy),  encoder'(dz)

At the optimum y is the projection of x on the affine subspace of the first Z principal components: the squared error is PCA's, and every
other stationary point is a saddle (Baldi & Hornik). The columns of the decoder span that subspace, but are neither orthogonal nor ordered.
Hidden layers of at least Z units change the path, not the optimum. Another loss or output would have another optimum, so there is none.
Source: Baldi & Hornik 1989, "Neural networks and principal component analysis"; Bourlard & Kamp 1988.
"""

from __future__ import annotations

from collections.abc import Sequence

from npae.models.ae import AE


class LinearAE(AE):
    """A plain autoencoder of linear layers, with the squared error."""

    kind = "linear"
    summary = "linear autoencoder: PCA by gradient descent"

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (),
        latent: int = 8,
        *,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(**self.spec, activation="linear", code_activation="linear")

"""Gaussian likelihood whose variance eta is learned with everything else, its constant included.      x y (B, F), eta one number

    L = (1/B) sum_B [ ||y - x||^2 / (2 eta) + (F/2) log(2 pi eta) ]      nats per image, = -log N(x | y, eta I)

    eta = eta_0 exp(r)          r a parameter that starts at 0: eta stays above 0, and a step of r is a relative change of eta

    dy = (y - x) / (eta B)      dr += F/2 - ||y - x||^2 / (2 eta B), the sum over rows understood

At dr = 0 eta is the mean squared error per element, and L = (F/2) (1 + log(2 pi eta)): the reconstruction is weighed against a KL by how
good it has become, where a fixed eta would have to be guessed. Where x can be reconstructed exactly there is no best eta: L falls forever.
Source: Rybkin, Daniilidis & Levine 2021, "Simple and effective VAE training with calibrated decoders" (sigma-VAE); lecture notes
p(x|z) = N(G(z), eta I).
"""

from __future__ import annotations

import math

from npae.backend import Array
from npae.layers.node import Node
from npae.losses.gaussian import check_variance
from npae.parameters import Parameter


class GaussianLearned(Node):
    """-log N(x | y, eta I), mean over the batch, with eta learned from a start."""

    unit = "nats per image"
    unit_interval = False

    def __init__(self, start: float = 1.0) -> None:
        self.start = check_variance(start)
        self.r = Parameter((1,), 1, 1, "flux")  # flux's vectors start at 0

    @property
    def eta(self) -> float:
        """The variance as it is now."""
        variance: float = self.backend.number(self.start * self.backend.xp.exp(self.r.value[0], dtype="float64"))
        return variance

    def forward(self, y: Array, x: Array) -> float:
        """||y - x||^2 / (2 eta) + (F/2) log(2 pi eta); the gradient comes in the same pass"""
        eta, self.half_features = self.eta, 0.5 * int(x.shape[1])
        self.dy = self.buffer("dy", y.shape)
        self.scaled: float = self.backend.kernel("squared_error")(y, x, 1 / (2 * eta * len(x)), self.dy)
        return self.scaled + self.half_features * self.backend.number(self.backend.xp.log(2 * math.pi * eta))

    def backward(self) -> Array:
        """dy = (y - x) / (eta B),  dr += F/2 - ||y - x||^2 / (2 eta B)"""
        if self.learning:
            self.r.grad += self.half_features - self.scaled
        return self.dy

    def mean(self, y: Array) -> Array:
        """The mean of N(y, eta I) is y."""
        return y

    def per_image(self, features: int) -> float:
        """Already a sum over features, per image."""
        return 1.0

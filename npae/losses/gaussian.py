"""Gaussian likelihood with a fixed variance eta, its constant included.      x y (B, F)

    L = (1/B) sum_B [ ||y - x||^2 / (2 eta) + (F/2) log(2 pi eta) ]      nats per image, = -log N(x | y, eta I)

    dy = (y - x) / (eta B)

With eta = 1/2 the first part is the squared error itself. Source: Kingma & Welling 2014, appendix C.2;
lecture notes p(x|z) = N(G(z), eta I).
"""

from __future__ import annotations

import math

from npae.backend import Array
from npae.errors import InputError
from npae.layers.node import Node


class Gaussian(Node):
    """-log N(x | y, eta I), mean over the batch."""

    unit = "nats per image"
    unit_interval = False

    def __init__(self, eta: float = 1.0) -> None:
        self.eta = check_variance(eta)

    def forward(self, y: Array, x: Array) -> float:
        """||y - x||^2 / (2 eta) + (F/2) log(2 pi eta); the gradient comes in the same pass"""
        self.dy = self.buffer("dy", y.shape)
        value: float = self.backend.kernel("squared_error")(y, x, 1 / (2 * self.eta * len(x)), self.dy)
        return value + 0.5 * math.log(2 * math.pi * self.eta) * int(x.shape[1])

    def backward(self) -> Array:
        """dy = (y - x) / (eta B)"""
        return self.dy

    def mean(self, y: Array) -> Array:
        """The mean of N(y, eta I) is y."""
        return y

    def per_image(self, features: int) -> float:
        """Already a sum over features, per image."""
        return 1.0


def check_variance(eta: float) -> float:
    """A finite number above 0."""
    if not (math.isfinite(eta) and eta > 0):
        raise InputError(f"eta {eta} is not a variance: it must be a finite number above 0")
    return eta

"""Squared error, and the Gaussian likelihood that it is the logarithm of.      x y (B, F)

    reduction "sum"     L = (1/B) sum_B sum_F (y - x)^2       dy = 2 (y - x) / B          the engine's scale: per image
    reduction "mean"    L = (1/(B F)) sum_B sum_F (y - x)^2   dy = 2 (y - x) / (B F)      flux's and PyTorch's mse

Squared error per image is, up to its constant, the negative log-likelihood in nats of N(y, I/2).
Source: Bishop 2006, "Pattern recognition and machine learning", section 1.2.5.
"""

from __future__ import annotations

from npae.backend import Array
from npae.errors import InputError, nearest
from npae.layers.node import Node

REDUCTIONS = ("sum", "mean")


def check_reduction(reduction: str) -> str:
    """The name, if there is such a reduction."""
    if reduction not in REDUCTIONS:
        raise InputError(f"reduction '{reduction}' is not known{nearest(reduction, REDUCTIONS)}")
    return reduction


class SquaredError(Node):
    """(1/B) sum (y - x)^2, or the mean over all elements."""

    unit_interval = False

    def __init__(self, reduction: str = "sum") -> None:
        self.reduction = check_reduction(reduction)
        self.unit = "squared error per image" if reduction == "sum" else "mean squared error"

    def forward(self, y: Array, x: Array) -> float:
        """scale * sum (y - x)^2; the gradient comes in the same pass"""
        count = len(x) if self.reduction == "sum" else x.size
        self.dy = self.buffer("dy", y.shape)
        value: float = self.backend.kernel("squared_error")(y, x, 1 / count, self.dy)
        return value

    def backward(self) -> Array:
        """dy = 2 scale (y - x)"""
        return self.dy

    def mean(self, y: Array) -> Array:
        """What the decoder's output says the data are: the output itself."""
        return y

    def per_image(self, features: int) -> float:
        """What the value is to be multiplied by to give the sum over features, per image."""
        return 1.0 if self.reduction == "sum" else float(features)

"""Inverted dropout: each unit is dropped with probability `rate`, the others are scaled up so that the mean stays.

    y = x m / (1 - rate)      m = [u >= rate], u uniform on [0, 1)      x y u (B, F)
    dx = dy m / (1 - rate)

u is an argument (noise.py draws it), so a gradient can be checked and a step replayed. In inference, and in a frozen network, there is
no u, and y = x.
Raises InputError for a rate outside [0, 1) and for a training step without u.
Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".
"""

from __future__ import annotations

from npae.backend import Array
from npae.errors import InputError
from npae.layers.node import Node


class Dropout(Node):
    """y = x [u >= rate] / (1 - rate)."""

    def __init__(self, rate: float, features: int) -> None:
        self.rate, self.features = check_rate(rate), features

    def forward(self, x: Array, u: Array | None) -> Array:
        """y = x m / (1 - rate)"""
        if u is None:
            if self.recording and self.learning:
                raise InputError(
                    f"dropout {self.rate}: a training step needs uniform numbers u of shape {x.shape}; draw them with model.draw"
                )
            self.scaled_mask = self.buffer("ones", x.shape)
            self.scaled_mask.fill(1)
        else:
            keep = self.backend.xp.greater_equal(u, self.rate, out=self.buffer("keep", x.shape, bool))
            self.scaled_mask = self.backend.xp.multiply(keep, 1 / (1 - self.rate), out=self.buffer("mask", x.shape), casting="same_kind")
        return self.backend.xp.multiply(x, self.scaled_mask, out=self.buffer("y", x.shape))

    def backward(self, dy: Array) -> Array:
        """dx = dy m / (1 - rate)"""
        return self.backend.xp.multiply(dy, self.scaled_mask, out=self.buffer("dx", dy.shape))


def check_rate(rate: float) -> float:
    """A share of units that can be dropped: in [0, 1)."""
    if not 0 <= rate < 1:
        raise InputError(f"dropout {rate} is not a rate in [0, 1): the share of units that are dropped")
    return rate

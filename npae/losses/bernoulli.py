"""Bernoulli likelihood (binary cross-entropy) of x in [0, 1].      x l p (B, F), nats per image

    from logits          L = (1/B) sum [ max(l, 0) - l x + log(1 + e^-|l|) ]          dl = (sigmoid(l) - x) / B
      reduction "mean"   L / F: the mean over all elements, nats per pixel            dl = (sigmoid(l) - x) / (B F)
    from probabilities   L = -(1/B) sum [ x log q + (1 - x) log(1 - q) ]              dp = ((1-x)/(1-q) - x/q) / B  where q = p
                         q = clip(p, c, 1 - c)                                        dp = 0                        where clipped

The clip's zero gradient is explicit: a saturated, wrong unit gets no gradient at all; logits have no such trap.
The mean is over the batch, the sum over features; reduction "mean" is Keras's binary_crossentropy, which takes the logits of a sigmoid that
stands before it. x between 0 and 1 is allowed: then L is a cross-entropy, and not a likelihood of x.
Source: Kingma & Welling 2014, appendix C.1; the clipped form as in ADCME's and Keras's examples.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.backend import Array, Backend
from npae.errors import InputError
from npae.layers.node import Node
from npae.losses.squared_error import check_reduction

CLIP = 1e-7  # as Keras's


def check_clip(clip: float) -> float:
    """A distance from 0 and 1: between 0 and 0.5."""
    if not 0 < clip < 0.5:
        raise InputError(
            f"clip {clip} is not between 0 and 0.5: probabilities are kept in [clip, 1 - clip], where their logarithm is finite"
        )
    return clip


class BernoulliLogits(Node):
    """-log Bernoulli(x | sigmoid(l)), mean over the batch, or over all elements."""

    unit_interval = True

    def __init__(self, reduction: str = "sum") -> None:
        self.reduction = check_reduction(reduction)
        self.unit = "nats per image" if reduction == "sum" else "nats per pixel"

    def forward(self, logits: Array, x: Array) -> float:
        """scale * sum (max(l, 0) - l x + log(1 + e^-|l|)); the gradient comes in the same pass"""
        count = len(x) if self.reduction == "sum" else x.size
        self.dlogits = self.buffer("dlogits", logits.shape)
        value: float = self.backend.kernel("bernoulli_logits")(logits, x, 1 / count, self.dlogits)
        return value

    def backward(self) -> Array:
        """dl = scale (sigmoid(l) - x)"""
        return self.dlogits

    def mean(self, logits: Array) -> Array:
        """p = sigmoid(l) = (1 + tanh(l/2)) / 2"""
        xp = self.backend.xp
        p: Array = 0.5 * (1 + xp.tanh(0.5 * logits))
        return p

    def per_image(self, features: int) -> float:
        """What the value is to be multiplied by to give the sum over features, per image."""
        return 1.0 if self.reduction == "sum" else float(features)


class BernoulliProbabilities(Node):
    """-log Bernoulli(x | clip(p)), mean over the batch."""

    unit = "nats per image"
    unit_interval = True

    def __init__(self, clip: float = CLIP) -> None:
        self.clip = check_clip(clip)

    def bind(self, backend: Backend, dtype: np.dtype[Any]) -> None:
        """Refuse a clip that rounds away: 1 - clip must differ from 1."""
        super().bind(backend, dtype)
        if dtype.type(1 - self.clip) == 1:
            raise InputError(
                f"clip {self.clip} is lost in {dtype}: 1 - clip rounds to 1; take clip >= {np.finfo(dtype).eps / 2:.1e} or dtype float64"
            )

    def forward(self, p: Array, x: Array) -> float:
        """-(x log q + (1 - x) log(1 - q)); the gradient comes in the same pass"""
        self.dp = self.buffer("dp", p.shape)
        value: float = self.backend.kernel("bernoulli_probabilities")(p, x, self.clip, 1 / len(x), self.dp)
        return value

    def backward(self) -> Array:
        """dp = ((1-x)/(1-q) - x/q) / B, zero where clipped"""
        return self.dp

    def mean(self, p: Array) -> Array:
        """The decoder says the probability itself."""
        return p

    def per_image(self, features: int) -> float:
        """Already a sum over features, per image."""
        return 1.0

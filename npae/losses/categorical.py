"""Categorical likelihood of text: a softmax over the symbols at each place.      l t (B, L A), read as (B, L, A); nats per row

    L = -(1/B) sum_B sum_L sum_A t log p          p = softmax_A(l) = exp(l - m) / sum_A exp(l - m),   m = max_A l
      = (1/B) sum_B sum_L [ log sum_A exp(l - m) - sum_A t (l - m) ]

    dl = (p - t) / B          for t that sums to 1 at each place: one-hot

A is the number of symbols, L the number of places. Taking m off changes nothing and keeps exp finite.
Source: Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".
Raises InputError for fewer than 2 symbols.
"""

from __future__ import annotations

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.layers.node import Node


def check_symbols(symbols: int | None) -> int:
    """The number of symbols at each place; None where the data are no text."""
    if symbols is None:
        raise InputError(
            "reconstruction 'categorical' is for text, one of a set of symbols at each place: it belongs to a paired model on data such as"
            " dates; for other numbers take --set reconstruction=squared_error"
        )
    if isinstance(symbols, bool) or not isinstance(symbols, int | np.integer) or symbols < 2:
        raise InputError(f"symbols {symbols!r} is not a number of symbols to choose from at each place: it must be at least 2")
    return int(symbols)


class Categorical(Node):
    """-log of the probability of the symbols of t, summed over places, mean over the batch."""

    unit = "nats per row"
    unit_interval = True

    def __init__(self, symbols: int) -> None:
        self.symbols = check_symbols(symbols)

    def forward(self, logits: Array, t: Array) -> float:
        """log sum exp(l - m) - sum t (l - m);  p is kept for backward"""
        xp, shifted = self.backend.xp, self._shifted(logits)
        self.t, self.p = t, self.buffer("p", shifted.shape)
        chosen = xp.multiply(shifted, t.reshape(shifted.shape), out=self.p)
        number = self.backend.number
        value = -number(chosen.sum(dtype=np.float64))
        xp.exp(shifted, out=self.p)
        total = xp.sum(self.p, axis=2, keepdims=True, out=self.buffer("total", (*shifted.shape[:2], 1)))
        self.p /= total
        return (value + number(xp.log(total).sum(dtype=np.float64))) / len(t)

    def backward(self) -> Array:
        """dl = (p - t) / B"""
        dlogits = self.backend.xp.subtract(self.p.reshape(self.t.shape), self.t, out=self.buffer("dlogits", self.t.shape))
        dlogits /= len(self.t)
        return dlogits

    def mean(self, logits: Array) -> Array:
        """p, the probability of each symbol at each place (B, L A)"""
        p = self.backend.xp.exp(self._shifted(logits))
        p /= p.sum(axis=2, keepdims=True)
        probabilities: Array = p.reshape(logits.shape)
        return probabilities

    def per_image(self, features: int) -> float:
        """Already a sum over places, per row."""
        return 1.0

    def _shifted(self, logits: Array) -> Array:
        """l - m (B, L, A)"""
        xp, places = self.backend.xp, logits.reshape(len(logits), -1, self.symbols)
        largest = xp.max(places, axis=2, keepdims=True, out=self.buffer("largest", (*places.shape[:2], 1)))
        return xp.subtract(places, largest, out=self.buffer("shifted", places.shape))

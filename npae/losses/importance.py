"""The importance-weighted bound of log p(x), from the log weights of K samples a row.      log w (B, K), nats per image

    L = -(1/B) sum_B log (1/K) sum_K w          w_k = p(x, z_k) / q(z_k|x)

    dlog w = -wt / B                            wt_k = w_k / sum_j w_j, the softmax of log w over K

-L <= log p(x) in the mean over z_k ~ q(z|x), and grows with K; at K = 1 it is the evidence lower bound, and wt = 1.
Both are computed from log w - max log w, so that no weight overflows and one of each row is 1.
Source: Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders", equations 8 and 14.
"""

from __future__ import annotations

import math

from npae.backend import Array
from npae.layers.node import Node


class ImportanceWeighted(Node):
    """-log of the mean weight, mean over the batch."""

    def forward(self, log_w: Array) -> float:
        """m + log sum exp(log w - m) - log K;  wt comes in the same pass"""
        rows, samples = log_w.shape
        w, dtype = self.buffer("w", log_w.shape, log_w.dtype), log_w.dtype
        m, total = (self.buffer(name, (rows, 1), dtype) for name in ("m", "total"))
        xp = self.backend.xp
        xp.max(log_w, axis=1, keepdims=True, out=m)
        xp.exp(xp.subtract(log_w, m, out=w), out=w)
        xp.sum(w, axis=1, keepdims=True, out=total)
        self.normalised = xp.divide(w, total, out=w)
        return -self.backend.number(xp.sum(m + xp.log(total))) / rows + math.log(samples)

    def backward(self) -> Array:
        """dlog w = -wt / B"""
        return self.backend.xp.divide(
            self.normalised, -len(self.normalised), out=self.buffer("dlog_w", self.normalised.shape, self.normalised.dtype)
        )

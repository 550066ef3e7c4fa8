"""Inference without a network: each row's own (mu, s) by steps of gradient descent, the decoder held still.

    F(mu, s) = -log p(x|z) + KL(N(mu, sigma^2) || N(0, I))        sigma = exp(s),  z = mu + sigma eps         x (B, F)   mu s eps z (B, Z)

    forward    z = reparameterise(mu, s, eps),  y = decoder(z),  nll = likelihood(y, x),  kl = KL(mu, s)
    backward   dy = dnll,  dz = decoder'(dy),  (dmu, ds) = reparameterise'(dz) + dKL;  no parameter of the decoder gets a gradient
    step t     Adam on (mu, s) with the rate rate (1 - t/T), t = 0 .. T - 1;  eps is a draw for even t, and its negative for the t after it

F is the negative evidence lower bound of a row in nats, one draw of it. It is a sum over rows, and each row's steps depend on that row and
its noise alone: the mean over the batch, which is what likelihood and KL give, is undone in Adam. A draw and its negative cancel to first
order in sigma, and the falling rate averages out what is left.
Source: Hoffman, Blei, Wang & Paisley 2013, "Stochastic variational inference" (local steps); Cremer, Li & Duvenaud 2018 for VAEs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from npae.backend import Array
from npae.layers import Node, Reparameterise, differentiated, frozen
from npae.layers.node import scale
from npae.losses import GaussianKL
from npae.models.model import Model

BETA1, BETA2, EPSILON = 0.5, 0.999, 1e-8  # few steps: a momentum of 0.9 would still be turning round when they end


def draws_for(steps: int) -> int:
    """How many draws of eps so many steps need: one for two of them."""
    return (steps + 1) // 2


class LocalInference(Node):
    """Descends F for the rows of a batch, with the decoder and the likelihood of a given model."""

    def __init__(self) -> None:
        self.reparameterise, self.kl = Reparameterise("log_std"), GaussianKL("log_std")

    def gradient(self, model: Model, x: Array, mu: Array, s: Array, eps: Array, *given: Array) -> tuple[float, Array, Array]:
        """F, dF/dmu and dF/ds, means over the batch; `given` are the labels, where the decoder reads them."""
        nodes = (self, *_decoding(model))
        with differentiated(*nodes), frozen(*nodes):
            z = self.reparameterise.forward(mu, s, eps)
            y = model.decoded(z, *given)
            nats = model.likelihood.per_image(model.outputs)
            value = nats * model.likelihood.forward(y, x) + self.kl.forward(mu, s)
            dy = model.likelihood.backward()
            scale(dy, nats)
            dz = model.pulled_back(dy)
            dmu, ds = self.reparameterise.backward(dz, onto=self.kl.backward())
        return value, dmu, ds

    def descend(
        self, model: Model, x: Array, mu: Array, s: Array, draws: Array, steps: int, rate: float, *given: Array
    ) -> tuple[Array, Array]:
        """(mu, s) after T = `steps` steps from the given ones; draws (B, ceil(T/2) Z), one for two steps."""
        rows, width = mu.shape
        local, gradient, m, v = (self.buffer(name, (2, rows, width)) for name in ("local", "gradient", "m", "v"))
        local[0], local[1] = mu, s
        m.fill(0)
        v.fill(0)
        flat = [array.reshape(-1) for array in (local, gradient, m, v)]
        adam = self.backend.kernel("adam")
        for t in range(steps):
            eps = draws[:, t // 2 * width : (t // 2 + 1) * width]
            eps = self.backend.xp.multiply(eps, -1 if t % 2 else 1, out=self.buffer("eps", eps.shape))
            _, gradient[0], gradient[1] = self.gradient(model, x, *local, eps, *given)
            alpha, root_scale = rate * (1 - t / steps) / (1 - BETA1 ** (t + 1)), 1 / math.sqrt(1 - BETA2 ** (t + 1))
            adam(*flat, alpha, BETA1, BETA2, root_scale, EPSILON, float(rows))
        return local[0], local[1]


def _decoding(model: Model) -> Iterator[Node]:
    """Every part of the model but the encoder, whose own backward may still be to come."""
    return (part for name, part in model.children() if name != "encoder" and not isinstance(part, LocalInference))

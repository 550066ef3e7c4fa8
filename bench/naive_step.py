"""The step in plain NumPy, as the founding document says it, as a worker.        python -m bench.naive_step FOLDER MODEL

No kernels, no buffers, no fused passes: each formula is one NumPy expression that allocates what it returns, the order statistics come from
a full sort of all n^2 distances, and Adam visits one tensor after the other. It is its own program: nothing of npae computes here.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from bench.network import EXPONENT, KL, Layer
from bench.peer import Clock, Peer
from bench.problem import BATCHES
from bench.workers import serve
from npae.backend import Array

Pair: TypeAlias = tuple[Array, Array]


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x), which cannot overflow."""
    y: Array = 0.5 * (1 + np.tanh(0.5 * x))
    return y


# name -> f(x, parameter), f'(x, y, parameter)
ACTIVATIONS: dict[str, tuple[Callable[[Array, float], Array], Callable[[Array, Array, float], Array | float]]] = {
    "linear": (lambda x, a: x, lambda x, y, a: 1.0),
    "leaky_relu": (lambda x, a: np.where(x >= 0, x, a * x), lambda x, y, a: np.where(x >= 0, x.dtype.type(1), x.dtype.type(a))),
    "relu": (lambda x, a: np.maximum(x, 0), lambda x, y, a: x > 0),
    "sigmoid": (lambda x, a: sigmoid(x), lambda x, y, a: y * (1 - y)),
    "tanh": (lambda x, a: np.tanh(x), lambda x, y, a: 1 - y * y),
    "elu": (lambda x, a: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda x, y, a: np.where(x > 0, x.dtype.type(1), y + 1)),
    "softplus": (lambda x, a: np.logaddexp(x, x.dtype.type(0)) + x.dtype.type(a), lambda x, y, a: sigmoid(x)),
}


class NaiveStep(Peer):
    """Gather, draw, forward, backward, Adam."""

    def __init__(self) -> None:
        super().__init__()
        self.network, self.data = self.problem.network, self.problem.data
        self.random = np.random.default_rng(0)
        self.dtype = np.dtype(self.problem.dtype)
        self.start()

    def start(self) -> None:
        """From the problem's parameters."""
        self.theta = {name: value.copy() for name, value in self.problem.parameters.items()}
        self.m = {name: np.zeros_like(value) for name, value in self.theta.items()}
        self.v = {name: np.zeros_like(value) for name, value in self.theta.items()}
        self.taken = 0

    def forward(self, layers: Sequence[Layer], x: Array, noise: dict[str, Array]) -> tuple[Array, list[tuple[Array, Array, Array]]]:
        """x -> y, and of each layer its input, x W + b, and what the activation made of it"""
        seen = []
        for layer in layers:
            a = x @ self.theta[f"{layer.name}.W"] + self.theta[f"{layer.name}.b"]
            y = ACTIVATIONS[layer.activation][0](a, layer.parameter)
            seen.append((x, a, y))
            x = y * noise[self.mask_of[layer.name]] if layer.dropout else y
        return x, seen

    def backward(self, layers: Sequence[Layer], seen: list[tuple[Array, Array, Array]], dy: Array, noise: dict[str, Array]) -> Array:
        """dy -> the parameters' gradients and dx"""
        for layer, (x, a, y) in zip(reversed(layers), reversed(seen), strict=True):
            dy = dy * noise[self.mask_of[layer.name]] if layer.dropout else dy
            da = dy * ACTIVATIONS[layer.activation][1](a, y, layer.parameter)
            self.gradient[f"{layer.name}.W"] = x.T @ da
            self.gradient[f"{layer.name}.b"] = da.sum(0)
            dy = da @ self.theta[f"{layer.name}.W"].T
        return dy

    @property
    def mask_of(self) -> dict[str, str]:
        """Layer -> the name of its mask."""
        dropping = [layer.name for layer in (*self.network.encoder, *self.network.decoder) if layer.dropout]
        return {name: f"dropout{k}" for k, name in enumerate(dropping)}

    def likelihood(self, y: Array, x: Array) -> tuple[float, Array]:
        """The reconstruction's term, and dy."""
        loss = self.network.likelihood
        scale = loss.factor / len(x)
        if loss.name == "squared_error":
            each, dy = (y - x) ** 2, 2 * (y - x)
        elif loss.name == "bernoulli_logits":
            each, dy = np.maximum(y, 0) - y * x + np.log1p(np.exp(-np.abs(y))), sigmoid(y) - x
        else:
            q = np.clip(y, loss.clip, 1 - loss.clip)
            each = -(x * np.log(q) + (1 - x) * np.log(1 - q))
            dy = ((1 - x) / (1 - q) - x / q) * (q == y)
        return float(each.sum(dtype=np.float64)) * scale + loss.constant, dy * scale

    def sigma(self, form: str, c: float, s: Array) -> tuple[Array, Array | float]:
        """The standard deviation, and its derivative by s."""
        if form == "sigma":
            return c * s, c
        deviation = c * np.exp(EXPONENT[form] * s)
        return deviation, EXPONENT[form] * deviation

    def kl(self, term: KL, mu: Array, s: Array) -> tuple[float, Array, Array]:
        """1/(2 B) sum (v + mu^2 - 1 - log(epsilon + v)), dmu, ds"""
        sigma, by_s = self.sigma(term.form, term.noise_scale, s)
        v = sigma**2
        value = 0.5 * float((v + mu * mu - 1 - np.log(term.epsilon + v)).sum(dtype=np.float64)) / len(mu)
        return value, mu / len(mu), sigma * by_s * (1 - 1 / (term.epsilon + v)) / len(mu)

    def mmd(self, z: Array, w: Array) -> tuple[float, Array]:
        """Unbiased, RBF kernel, and dz with the bandwidth held constant."""
        term, n = self.network.mmd, len(z)
        assert term is not None
        zz, ww, zw = (np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T, 0) for a, b in ((z, z), (w, w), (z, w)))
        ranked = ((zw, term.ranks[0]), (zz, term.ranks[1])) if term.ranks else ()
        sigma2 = term.sigma2 or sum(np.sort(d2, axis=None)[rank] for d2, rank in ranked)
        a, b, c = (np.exp(d2 / (-2 * sigma2)) for d2 in (zz, ww, zw))
        pairs = n * n - n
        value = float((a.sum(dtype=np.float64) + b.sum(dtype=np.float64) - 2 * n) / pairs - 2 * c.sum(dtype=np.float64) / n**2)
        dz = 2 / (n * n * sigma2) * (c.sum(1)[:, None] * z - c @ w) - 2 / (pairs * sigma2) * (a.sum(1)[:, None] * z - a @ z)
        return value, dz

    def loss_and_grad(self, x: Array, noise: dict[str, Array]) -> dict[str, float]:
        """The terms; the gradient is left in self.gradient."""
        network, self.gradient = self.network, dict[str, Array]()
        h, seen = self.forward(network.encoder, x, noise)
        terms, total, heads = dict[str, float](), 0.0, list[Any]()
        if network.sampling:
            heads = [self.forward([head], h, noise) for head in network.heads]
            mu, s = (y for y, _ in heads)
            sigma, by_s = self.sigma(network.sampling.form, network.sampling.noise_scale, s)
            z = mu + sigma * noise["eps"]
        else:
            z = h
        y, decoded = self.forward(network.decoder, z, noise)
        terms[network.likelihood.term], dy = self.likelihood(y, x)
        total = terms[network.likelihood.term]
        dz = self.backward(network.decoder, decoded, dy, noise)
        if network.mmd:
            terms["mmd"], by_z = self.mmd(z, noise["prior"])
            dz, total = dz + network.mmd.weight * by_z, total + network.mmd.weight * terms["mmd"]
        if network.sampling:
            dmu, ds = dz, dz * noise["eps"] * by_s
            for term in network.kl:
                terms[term.term], by_mu, by_s = self.kl(term, mu, s)
                total += term.weight * terms[term.term]
                dmu, ds = dmu + term.weight * by_mu, ds + term.weight * by_s
            by_head = [self.backward([head], own, d, noise) for head, (_, own), d in zip(network.heads, heads, (dmu, ds), strict=True)]
            dz = by_head[0] + by_head[1]
        self.backward(network.encoder, seen, dz, noise)
        return self.decayed(terms, total)

    def decayed(self, terms: dict[str, float], total: float) -> dict[str, float]:
        """With the decoder's squared parameters, where they count."""
        network = self.network
        if network.l2:
            names = [f"{layer.name}.{key}" for layer in network.decoder for key in "Wb"]
            terms["l2"] = float(sum((self.theta[name] ** 2).sum() for name in names))
            for name in names:
                self.gradient[name] = self.gradient[name] + 2 * network.l2 * self.theta[name]
            total += network.l2 * terms["l2"]
        return terms | {"total": total}

    def update(self) -> None:
        """Adam, tensor by tensor."""
        adam, self.taken = self.network.adam, self.taken + 1
        rate, root = adam.rate / (1 - adam.beta1**self.taken), math.sqrt(1 - adam.beta2**self.taken)
        epsilon = adam.epsilon if adam.placement == "uncorrected" else adam.epsilon * root
        for name, g in self.gradient.items():
            self.m[name] = adam.beta1 * self.m[name] + (1 - adam.beta1) * g
            self.v[name] = adam.beta2 * self.v[name] + (1 - adam.beta2) * g * g
            self.theta[name] = self.theta[name] - rate * root * self.m[name] / (np.sqrt(self.v[name]) + epsilon)

    def draw(self) -> dict[str, Array]:
        """The random numbers of one step."""
        dropped, noise = self.network.rates_of_dropout, dict[str, Array]()
        for name, array in self.problem.noise.items():
            if name in dropped:
                rate = dropped[name][1]
                noise[name] = (self.random.random(array.shape[1:], self.dtype) >= rate) / self.dtype.type(1 - rate)
            else:
                noise[name] = self.random.standard_normal(array.shape[1:], self.dtype)
        return noise

    def steps(self, count: int) -> dict[str, float]:
        """One after the other."""
        total, clock = 0.0, Clock()
        for rows in itertools.islice(self.endless, count):
            total += self.loss_and_grad(self.data[rows], self.draw())["total"]
            self.update()
        return clock.stop(count, total)

    def agree(self) -> dict[str, Any]:
        """Leaves a fresh start behind."""
        self.start()
        first: dict[str, float] = {}
        for k in range(BATCHES):
            terms = self.loss_and_grad(self.problem.x[k], {name: array[k] for name, array in self.given_noise().items()})
            first = first or terms
            self.update()
        self.start()
        return {"terms": first, "later": terms["total"]}


if __name__ == "__main__":
    serve(NaiveStep)

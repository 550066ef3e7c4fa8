"""JAX's training step as a worker: compiled, 100 steps a call.        python -m bench.jax_step FOLDER MODEL

Written as a JAX user would write it who cares about speed: value_and_grad inside lax.scan over 100 batches inside jit, the state donated,
the data on the device, mu and s from one layer, `lax.top_k` for the order statistics (a fifth faster than `jnp.sort` on a CPU).
Tried and no faster on a CPU: unrolling the scan twice (five times is a tenth slower), drawing the normal numbers of all 100 steps at once,
the generators rbg and unsafe_rbg in place of threefry (rbg costs adcme-vae, with its dropout masks, a quarter more).
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from bench.network import EXPONENT, KL, MMD, Layer, Likelihood, Network, Sampling
from bench.peer import Clock, Peer
from bench.problem import BATCHES
from bench.workers import serve

UNIT = 100  # steps a call
Terms: TypeAlias = dict[str, tuple[Any, float]]
Values: TypeAlias = Mapping[str, Any]

ACTIVATIONS: dict[str, Callable[[Any, float], Any]] = {
    "linear": lambda x, parameter: x,
    "leaky_relu": lambda x, parameter: jnp.where(x >= 0, x, parameter * x),
    "relu": lambda x, parameter: jax.nn.relu(x),
    "sigmoid": lambda x, parameter: jax.nn.sigmoid(x),
    "tanh": lambda x, parameter: jnp.tanh(x),
    "elu": lambda x, parameter: jax.nn.elu(x),
    "softplus": lambda x, parameter: jax.nn.softplus(x) + parameter,
}


def through(layers: Iterable[Layer], parameters: Values, x: Any, masks: Values) -> Any:
    """x -> the last layer's output"""
    for layer in layers:
        x = ACTIVATIONS[layer.activation](x @ parameters[f"{layer.name}.W"] + parameters[f"{layer.name}.b"], layer.parameter)
        x = x * masks[layer.name] if layer.dropout else x
    return x


def likelihood(loss: Likelihood, y: Any, x: Any) -> Any:
    """The reconstruction's term."""
    if loss.name == "squared_error":
        each = (y - x) ** 2
    elif loss.name == "bernoulli_logits":
        each = jnp.maximum(y, 0) - y * x + jnp.log1p(jnp.exp(-jnp.abs(y)))
    else:
        q = jnp.clip(y, loss.clip, 1 - loss.clip)
        each = -(x * jnp.log(q) + (1 - x) * jnp.log(1 - q))
    return jnp.sum(each) * (loss.factor / len(x)) + loss.constant


def sigma(form: str, noise_scale: float, s: Any) -> Any:
    """The standard deviation that s stands for."""
    return noise_scale * (s if form == "sigma" else jnp.exp(EXPONENT[form] * s))


def kl(term: KL, mu: Any, s: Any) -> Any:
    """1/(2 B) sum (v + mu^2 - 1 - log(epsilon + v))"""
    if term.form == "sigma" or term.epsilon:
        v = sigma(term.form, term.noise_scale, s) ** 2
        log_v = jnp.log(v + term.epsilon)
    else:
        log_v = 2 * EXPONENT[term.form] * s + 2 * math.log(term.noise_scale)
        v = jnp.exp(log_v)
    return 0.5 / len(mu) * jnp.sum(v + mu * mu - 1 - log_v)


def _distances(a: Any, b: Any) -> Any:
    return (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T


def _smallest(d2: Any, rank: int) -> Any:
    """The one of that rank, counted from 0."""
    return -lax.top_k(-lax.stop_gradient(d2).reshape(-1), rank + 1)[0][-1]


def mmd(term: MMD, z: Any, w: Any) -> Any:
    """Unbiased, RBF kernel, the bandwidth held constant."""
    n = len(z)
    pairs, zz, ww, zw = n * n - n, _distances(z, z), _distances(w, w), _distances(z, w)
    sigma2: Any = _smallest(zw, term.ranks[0]) + _smallest(zz, term.ranks[1]) if term.ranks else term.sigma2
    c = -1 / (2 * lax.stop_gradient(sigma2))
    return (jnp.sum(jnp.exp(zz * c) + jnp.exp(ww * c)) - 2 * n) / pairs - 2 * jnp.sum(jnp.exp(zw * c)) / n**2


def objective(network: Network, parameters: Values, x: Any, noise: Values) -> Terms:
    """The terms with their weights; noise holds eps, prior, and each dropout's mask times 1 / (1 - rate)."""
    dropping = [layer.name for layer in (*network.encoder, *network.decoder) if layer.dropout]
    masks = {name: noise[f"dropout{k}"] for k, name in enumerate(dropping)}
    h, divergences = through(network.encoder, parameters, x, masks), Terms()
    if network.sampling:
        mu, s = _posterior(network, parameters, h)
        divergences = {term.term: (kl(term, mu, s), term.weight) for term in network.kl}
        h = _sampled(network.sampling, mu, s, noise["eps"])
    terms = {network.likelihood.term: (likelihood(network.likelihood, through(network.decoder, parameters, h, masks), x), 1.0)}
    terms |= divergences
    if network.mmd:
        terms["mmd"] = mmd(network.mmd, h, noise["prior"]), network.mmd.weight
    if network.l2:
        decoder = [parameters[f"{layer.name}.{key}"] for layer in network.decoder for key in "Wb"]
        terms["l2"] = sum(jnp.sum(p * p) for p in decoder), network.l2
    return terms


def _posterior(network: Network, parameters: Values, h: Any) -> tuple[Any, Any]:
    """mu, s"""
    mu, s = jnp.split(h @ parameters["heads.W"] + parameters["heads.b"], 2, axis=1)
    last = network.heads[1]
    return mu, ACTIVATIONS[last.activation](s, last.parameter)


def _sampled(how: Sampling, mu: Any, s: Any, eps: Any) -> Any:
    """z"""
    return mu + eps * sigma(how.form, how.noise_scale, s)


class JaxStep(Peer):
    """Gather, draw, forward, grad, Adam: one compiled function for 100 of them."""

    def __init__(self) -> None:
        super().__init__()
        jax.config.update("jax_enable_x64", self.problem.dtype == "float64")  # type: ignore[no-untyped-call]
        self.network = self.problem.network
        self.x = jnp.asarray(self.problem.data)
        self.shapes = {name: array.shape[1:] for name, array in self.problem.noise.items()}
        self.state, self.key = self.start(), jax.random.key(0)
        self.many = jax.jit(self._many, donate_argnums=(0,))

    def start(self) -> Any:
        """From the problem's parameters."""
        heads = [head.name for head in self.network.heads]
        given = self.problem.parameters
        theta = {name: jnp.array(value) for name, value in given.items() if name.rsplit(".", 1)[0] not in heads}
        if heads:
            theta |= {f"heads.{key}": jnp.concatenate([given[f"{head}.{key}"] for head in heads], axis=-1) for key in "Wb"}
        return theta, jax.tree.map(jnp.zeros_like, theta), jax.tree.map(jnp.zeros_like, theta), jnp.zeros((), self.problem.dtype)

    def adam(self, state: Any, gradient: Any) -> Any:
        """(theta, m, v, t) after one step."""
        theta, m, v, t = state
        own, t = self.network.adam, t + 1
        m = jax.tree.map(lambda m, g: own.beta1 * m + (1 - own.beta1) * g, m, gradient)
        v = jax.tree.map(lambda v, g: own.beta2 * v + (1 - own.beta2) * g * g, v, gradient)
        root, rate = jnp.sqrt(1 - own.beta2**t), own.rate / (1 - own.beta1**t)
        if own.placement == "uncorrected":
            theta = jax.tree.map(lambda p, m, v: p - rate * root * m / (jnp.sqrt(v) + own.epsilon), theta, m, v)
        else:
            theta = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + own.epsilon), theta, m, v)
        return theta, m, v, t

    def loss(self, theta: Any, x: Any, noise: Values) -> tuple[Any, dict[str, Any]]:
        """The total, and each term."""
        terms = objective(self.network, theta, x, noise)
        total = sum(weight * value for value, weight in terms.values() if weight)
        return total, {name: value for name, (value, _) in terms.items()} | {"total": total}

    def step(self, state: Any, x: Any, noise: Values) -> tuple[Any, dict[str, Any]]:
        """The state after, the terms before."""
        (_, terms), gradient = jax.value_and_grad(self.loss, has_aux=True)(state[0], x, noise)
        return self.adam(state, gradient), terms

    def draw(self, key: Any) -> dict[str, Any]:
        """The random numbers of one step."""
        dropped, noise = self.network.rates_of_dropout, {}
        for name, own in zip(self.shapes, jax.random.split(key, max(1, len(self.shapes))), strict=False):
            if name in dropped:
                kept = 1 - dropped[name][1]
                noise[name] = jax.random.bernoulli(own, kept, self.shapes[name]) / np.dtype(self.problem.dtype).type(kept)
            else:
                noise[name] = jax.random.normal(own, self.shapes[name], self.problem.dtype)
        return noise

    def _many(self, state: Any, key: Any, data: Any, rows: Any) -> tuple[Any, Any, Any]:
        def body(carry: Any, rows_now: Any) -> Any:
            state, key = carry
            key, own = jax.random.split(key)
            state, terms = self.step(state, data[rows_now], self.draw(own))
            return (state, key), terms["total"]

        (state, key), totals = lax.scan(body, (state, key), rows)
        return state, key, totals.sum()

    def steps(self, count: int) -> dict[str, float]:
        """In calls of 100."""
        calls, total, clock = math.ceil(count / UNIT), 0.0, Clock()
        for _ in range(calls):
            rows = np.stack(list(itertools.islice(self.endless, UNIT)))
            self.state, self.key, sum_of_losses = self.many(self.state, self.key, self.x, rows)
            total += float(sum_of_losses)
        return clock.stop(calls * UNIT, total)

    def agree(self) -> dict[str, Any]:
        """With a state of its own."""
        state, step, first = self.start(), jax.jit(self.step), dict[str, float]()
        for k in range(BATCHES):
            state, terms = step(state, self.problem.x[k], {name: array[k] for name, array in self.given_noise().items()})
            first = first or {name: float(value) for name, value in terms.items()}
        return {"terms": first, "later": float(terms["total"])}

    def library(self) -> str:
        """XLA's own code, on every core that it may use."""
        return f"XLA ({len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} threads)"


if __name__ == "__main__":
    serve(JaxStep)

"""JAX's training step as a worker: compiled, 100 steps a call.        python -m bench.jax_step FOLDER MODEL

Written as a JAX user would write it who cares about speed: value_and_grad inside lax.scan over 100 batches inside jit, the state donated,
the data on the device, `lax.top_k` for the order statistics (a fifth faster than `jnp.sort` on a CPU). Adam as in algorithm 1 of its paper.
A term comes with its weight in the objective.
"""

from __future__ import annotations

import functools
import itertools
import math
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from bench.peer import Clock, Peer
from bench.problem import BATCHES
from bench.workers import serve

UNIT = 100  # steps a call
Terms: TypeAlias = dict[str, tuple[Any, float]]
Objective: TypeAlias = Callable[[Mapping[str, Any], Any, Mapping[str, Any]], Terms]


def leaky_relu(x: Any) -> Any:
    """x where x >= 0, 0.01 x elsewhere."""
    return jnp.where(x >= 0, x, 0.01 * x)


def dense(parameters: Mapping[str, Any], name: str, x: Any) -> Any:
    """x W + b"""
    return x @ parameters[f"{name}.W"] + parameters[f"{name}.b"]


def ae(parameters: Mapping[str, Any], x: Any, noise: Mapping[str, Any]) -> Terms:
    """Squared error, the mean over all elements."""
    at = functools.partial(dense, parameters)
    z = leaky_relu(at("encoder.2", leaky_relu(at("encoder.0", x))))
    y = at("decoder.2", leaky_relu(at("decoder.0", z)))
    return {"reconstruction": (jnp.mean((y - x) ** 2), 1.0)}


def _gaussian(parameters: Mapping[str, Any], x: Any, eps: Any) -> tuple[Any, Any, Any, Any]:
    """mu, log sigma, z, y"""
    at = functools.partial(dense, parameters)
    h = leaky_relu(at("encoder.0", x))
    mu, s = at("encoder.2.mu", h), at("encoder.2.s", h)
    z = mu + eps * jnp.exp(s)
    return mu, s, z, at("decoder.2", leaky_relu(at("decoder.0", z)))


def vae(parameters: Mapping[str, Any], x: Any, noise: Mapping[str, Any]) -> Terms:
    """Bernoulli likelihood, KL, the decoder's squared parameters."""
    mu, s, _, logits = _gaussian(parameters, x, noise["eps"])
    nll = jnp.sum(jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits)))) / len(x)
    kl = 0.5 * jnp.sum(jnp.exp(2 * s) + mu * mu - 1 - 2 * s) / len(x)
    l2 = sum(jnp.sum(p * p) for name, p in parameters.items() if name.startswith("decoder"))
    return {"nll": (nll, 1.0), "kl": (kl, 1.0), "l2": (l2, 0.005)}


def wae(parameters: Mapping[str, Any], x: Any, noise: Mapping[str, Any]) -> Terms:
    """Squared error per image, and MMD^2 of the codes from the prior."""
    _, _, z, y = _gaussian(parameters, x, noise["eps"])
    return {"reconstruction": (jnp.mean(jnp.sum((x - y) ** 2, 1)), 1.0), "mmd": (_mmd(z, noise["prior"]), 10.0)}


def _distances(a: Any, b: Any) -> Any:
    return (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T


def _smallest(d2: Any, rank: int) -> Any:
    """The rank-th smallest, counted from 1."""
    return lax.stop_gradient(-lax.top_k(-lax.stop_gradient(d2).reshape(-1), rank)[0][-1])


def _mmd(z: Any, w: Any) -> Any:
    """Unbiased, RBF kernel, bandwidth by the flux rule."""
    n = len(z)
    pairs, zz, ww, zw = n * n - n, _distances(z, z), _distances(w, w), _distances(z, w)
    c = -1 / (2 * (_smallest(zw, pairs // 2) + _smallest(zz, pairs // 2)))
    return (jnp.sum(jnp.exp(zz * c) + jnp.exp(ww * c)) - 2 * n) / pairs - 2 * jnp.sum(jnp.exp(zw * c)) / n**2


OBJECTIVES: dict[str, Objective] = {"ae": ae, "vae": vae, "wae": wae}


def adam(state: Any, gradient: Any, rate: float, epsilon: float) -> Any:
    """(theta, m, v, t) after one step."""
    theta, m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
    correct1, correct2 = 1 - 0.9**t, 1 - 0.999**t
    theta = jax.tree.map(lambda p, m, v: p - rate * (m / correct1) / (jnp.sqrt(v / correct2) + epsilon), theta, m, v)
    return theta, m, v, t


class JaxStep(Peer):
    """Gather, draw, forward, grad, Adam: one compiled function for 100 of them."""

    def __init__(self) -> None:
        super().__init__()
        self.x = jnp.asarray(self.problem.data)
        self.shapes = {name: array.shape[1:] for name, array in self.problem.noise.items()}
        self.state, self.key = self.start(), jax.random.key(0)
        self.many = jax.jit(self._many, donate_argnums=(0,))

    def start(self) -> Any:
        """From the problem's parameters."""
        theta = {name: jnp.array(value) for name, value in self.problem.parameters.items()}
        return theta, jax.tree.map(jnp.zeros_like, theta), jax.tree.map(jnp.zeros_like, theta), jnp.float32(0)

    def loss(self, theta: Any, x: Any, noise: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The total, and each term."""
        terms = OBJECTIVES[self.model](theta, x, noise)
        total = sum(weight * value for value, weight in terms.values())
        return total, {name: value for name, (value, _) in terms.items()} | {"total": total}

    def step(self, state: Any, x: Any, noise: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The state after, the terms before."""
        (_, terms), gradient = jax.value_and_grad(self.loss, has_aux=True)(state[0], x, noise)
        return adam(state, gradient, self.problem.learning_rate, self.problem.epsilon), terms

    def _many(self, state: Any, key: Any, data: Any, rows: Any) -> tuple[Any, Any, Any]:
        def body(carry: Any, rows_now: Any) -> Any:
            state, key = carry
            key, *draws = jax.random.split(key, 1 + len(self.shapes))
            noise = {name: jax.random.normal(draw, shape) for draw, (name, shape) in zip(draws, self.shapes.items(), strict=True)}
            state, terms = self.step(state, data[rows_now], noise)
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
            state, terms = step(state, self.problem.x[k], {name: array[k] for name, array in self.problem.noise.items()})
            first = first or {name: float(value) for name, value in terms.items()}
        return {"terms": first, "later": float(terms["total"])}

    def library(self) -> str:
        """XLA's own code, on every core that it may use."""
        return f"XLA ({len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} threads)"


if __name__ == "__main__":
    serve(JaxStep)

"""A published run as a JAX user would write it who cares about speed.        python -m bench.epoch_jax PRESET FILE EPOCHS

An epoch is one call: value_and_grad inside lax.scan over its batches inside jit, the state donated, the images kept as bytes and scaled
batch by batch, `top_k` for the order statistics. Parameters start in NumPy, because every jnp call of its own is compiled. It shares no
code with npae. With 0 epochs it stops, compiled, where the first step would begin.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from bench.epoch_rows import arguments, rows, say

Loss = Callable[[Any, Any, Any], Any]
FLUX = {"a": (784, 128), "b": (128, 8), "c": (8, 128), "d": (128, 784)}
GAUSSIAN = {"a": (784, 128), "mu": (128, 8), "s": (128, 8), "c": (8, 128), "d": (128, 784)}
WIDE = {"a": (784, 256), "b": (256, 16), "c": (16, 256), "d": (256, 784)}


def leaky_relu(x: Any) -> Any:
    """x where x >= 0, 0.01 x elsewhere."""
    return jnp.where(x >= 0, x, 0.01 * x)


def dense(p: Any, name: str, x: Any) -> Any:
    """x W + b"""
    return x @ p[name][0] + p[name][1]


def flux_ae(p: Any, x: Any, key: Any) -> Any:
    """Leaky ReLU on every layer but the last; the squared error's mean over all elements."""
    z = leaky_relu(dense(p, "b", leaky_relu(dense(p, "a", x))))
    return jnp.mean((dense(p, "d", leaky_relu(dense(p, "c", z))) - x) ** 2)


def torch_ae(p: Any, x: Any, key: Any) -> Any:
    """Linear code, sigmoid output; the squared error's mean over all elements."""
    z = dense(p, "b", leaky_relu(dense(p, "a", x)))
    return jnp.mean((jax.nn.sigmoid(dense(p, "d", leaky_relu(dense(p, "c", z)))) - x) ** 2)


def codes(p: Any, x: Any, key: Any) -> tuple[Any, Any, Any]:
    """mu, log sigma, z"""
    h = leaky_relu(dense(p, "a", x))
    mu, s = dense(p, "mu", h), dense(p, "s", h)
    return mu, s, mu + jax.random.normal(key, s.shape) * jnp.exp(s)


def flux_vae(p: Any, x: Any, key: Any) -> Any:
    """Bernoulli likelihood, KL, the decoder's squared parameters."""
    mu, s, z = codes(p, x, key)
    logits = dense(p, "d", leaky_relu(dense(p, "c", z)))
    nll = jnp.sum(jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits)))) / len(x)
    kl = 0.5 * jnp.sum(jnp.exp(2 * s) + mu * mu - 1 - 2 * s) / len(x)
    return nll + kl + 0.005 * sum(jnp.sum(part * part) for name in "cd" for part in p[name])


def flux_wae(p: Any, x: Any, key: Any) -> Any:
    """Squared error per image, and ten times the squared MMD of the codes from the prior."""
    first, second = jax.random.split(key)
    z = codes(p, x, first)[2]
    y = dense(p, "d", leaky_relu(dense(p, "c", z)))
    return jnp.mean(jnp.sum((y - x) ** 2, 1)) + 10 * mmd(z, jax.random.normal(second, z.shape))


def distances(a: Any, b: Any) -> Any:
    """Squared, of all pairs."""
    return (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T


def smallest(d2: Any, rank: int) -> Any:
    """The rank-th smallest, counted from 1."""
    return lax.stop_gradient(-lax.top_k(-lax.stop_gradient(d2).reshape(-1), rank)[0][-1])


def mmd(z: Any, w: Any) -> Any:
    """Unbiased, RBF kernel, bandwidth from two order statistics."""
    n = len(z)
    pairs, zz, ww, zw = n * n - n, distances(z, z), distances(w, w), distances(z, w)
    c = -1 / (2 * (smallest(zw, pairs // 2) + smallest(zz, pairs // 2)))
    return (jnp.sum(jnp.exp(zz * c) + jnp.exp(ww * c)) - 2 * n) / pairs - 2 * jnp.sum(jnp.exp(zw * c)) / n**2


# preset: loss, layers, batch, learning rate, and the limit of the uniform start of weights and of biases
MODELS: dict[str, tuple[Loss, dict[str, tuple[int, int]], int, float, Callable[[int, int], tuple[float, float]]]] = {
    "flux-ae": (flux_ae, FLUX, 100, 0.01, lambda i, o: ((6 / (i + o)) ** 0.5, 0.0)),
    "flux-vae": (flux_vae, GAUSSIAN, 100, 0.01, lambda i, o: ((6 / (i + o)) ** 0.5, 0.0)),
    "flux-wae": (flux_wae, GAUSSIAN, 100, 0.01, lambda i, o: ((6 / (i + o)) ** 0.5, 0.0)),
    "torch-ae": (torch_ae, WIDE, 32, 1e-3, lambda i, o: (i**-0.5, i**-0.5)),
}


def adam(state: Any, gradient: Any, rate: float) -> Any:
    """(theta, m, v, t) after one step."""
    theta, m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
    correct1, correct2 = 1 - 0.9**t, 1 - 0.999**t
    theta = jax.tree.map(lambda p, m, v: p - rate * (m / correct1) / (jnp.sqrt(v / correct2) + 1e-8), theta, m, v)
    return theta, m, v, t


def epoch_of(loss: Loss, rate: float) -> Any:
    """One epoch: the state after, and the mean of the losses."""

    def epoch(state: Any, data: Any, order: Any, seed: Any) -> tuple[Any, Any]:
        def step(carry: Any, chosen: Any) -> Any:
            state, key = carry
            key, draw = jax.random.split(key)
            value, gradient = jax.value_and_grad(loss)(state[0], data[chosen].astype(jnp.float32) / 255, draw)
            return (adam(state, gradient, rate), key), value

        (state, _), losses = lax.scan(step, (state, jax.random.key(seed)), order)
        return state, losses.mean()

    return functools.partial(jax.jit, donate_argnums=(0,))(epoch)


def main() -> None:
    """Read, compile, train, tell."""
    preset, path, epochs = arguments()
    loss, layers, batch, rate, limits = MODELS[preset]
    data, rng = jax.device_put(rows(path)), np.random.default_rng(0)
    theta = {}
    for name, (i, o) in layers.items():
        of_weights, of_biases = limits(i, o)
        theta[name] = rng.uniform(-of_weights, of_weights, (i, o)), rng.uniform(-of_biases, of_biases, o)
    theta = jax.tree.map(np.float32, theta)
    state = jax.device_put((theta, jax.tree.map(np.zeros_like, theta), jax.tree.map(np.zeros_like, theta), np.float32(0)))

    def order() -> Any:
        return rng.permutation(len(data)).astype(np.int32).reshape(-1, batch)

    run = epoch_of(loss, rate).lower(state, data, order(), np.int32(0)).compile()
    for epoch in range(epochs):
        started = time.perf_counter()
        state, mean = run(state, data, order(), np.int32(epoch))
        mean = float(mean)  # waits for it
        say(epoch, mean, time.perf_counter() - started)


if __name__ == "__main__":
    main()

"""JAX: one jitted value_and_grad, compiled for the shapes of the problem before the first call. float64 needs JAX_ENABLE_X64=1.

`jnp.sort` gives the order statistics: on a CPU `lax.top_k` of half of all distances takes longer once they are many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from bench.peers_of_kernels.numpy_forms import Result
from bench.peers_of_kernels.problem import Problem
from npae.kernels.kernel import Array

Objective: TypeAlias = Callable[[Any, Any], Any]  # of z and w: the value, and the two distances beside it


def squared(x: Any, y: Any) -> Any:
    """By a matrix product."""
    return (x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T


def mean_difference(zz: Any, ww: Any, zw: Any) -> Any:
    """MMD^2_u of three kernel matrices."""
    n, m = zw.shape
    return (zz.sum() - jnp.trace(zz)) / (n * (n - 1)) + (ww.sum() - jnp.trace(ww)) / (m * (m - 1)) - 2 * zw.mean()


def _compiled(objective: Objective, problem: Problem) -> Callable[[], Result]:
    """The objective's value and gradient, read back."""
    z, w = jnp.asarray(problem.z), jnp.asarray(problem.w)
    step = jax.jit(jax.value_and_grad(objective, has_aux=True)).lower(z, w).compile()

    def call() -> Result:
        (value, picked), dz = step(z, w)
        return float(value), tuple(map(float, picked)), jax.device_get(dz)

    return call


def mmd_objective(problem: Problem) -> Objective:
    """RBF with the bandwidth of the problem's ranks."""
    of_zw, of_zz = problem.ranks

    def objective(z: Any, w: Any) -> Any:
        zz, ww, zw = squared(z, z), squared(w, w), squared(z, w)
        picked = jnp.sort(jax.lax.stop_gradient(zw).ravel())[of_zw], jnp.sort(jax.lax.stop_gradient(zz).ravel())[of_zz]
        return mean_difference(*(jnp.exp(d2 / (-2 * (picked[0] + picked[1]))) for d2 in (zz, ww, zw))), picked

    return objective


def given_objective(problem: Problem) -> Objective:
    """RBF with a given bandwidth."""

    def objective(z: Any, w: Any) -> Any:
        return mean_difference(*(jnp.exp(d2 / (-2 * problem.sigma2)) for d2 in (squared(z, z), squared(w, w), squared(z, w)))), ()

    return objective


def imq_objective(problem: Problem) -> Objective:
    """Inverse multiquadratic kernels."""

    def kernel(d2: Any) -> Any:
        return sum(c / (c + d2) for c in problem.scales.tolist())

    def objective(z: Any, w: Any) -> Any:
        return mean_difference(*map(kernel, (squared(z, z), squared(w, w), squared(z, w)))), ()

    return objective


def mmd(problem: Problem) -> Callable[[], Result]:
    """RBF."""
    return _compiled(mmd_objective(problem), problem)


def mmd_given(problem: Problem) -> Callable[[], Result]:
    """RBF, sigma2 given."""
    return _compiled(given_objective(problem), problem)


def mmd_imq(problem: Problem) -> Callable[[], Result]:
    """Inverse multiquadratic kernels."""
    return _compiled(imq_objective(problem), problem)


def pairwise(problem: Problem) -> Callable[[], Array]:
    """One matrix product."""
    z, w = jnp.asarray(problem.z), jnp.asarray(problem.w)
    compiled = jax.jit(squared).lower(z, w).compile()
    return lambda: jax.device_get(compiled(z, w))

"""npae's own kernels, as the losses call them: two order statistics, then value and gradient in one pass; no n x m array."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.peers_of_kernels.problem import Problem
from npae.kernels.kernel import Array
from npae.kernels.registry import resolve


def mmd(problem: Problem) -> Callable[[], tuple[float, tuple[float, ...], Array]]:
    """RBF with the bandwidth of the problem's ranks."""
    _, z, w = problem
    statistic, kernel = resolve("distance_order_statistic", "cpu"), resolve("mmd_rbf", "cpu")
    of_zw, of_zz = problem.ranks
    dz = np.empty_like(z)

    def call() -> tuple[float, tuple[float, ...], Array]:
        distances = statistic(z, w, of_zw), statistic(z, z, of_zz)
        value, _ = kernel(z, w, sum(distances), dz)
        return value, distances, dz

    return call


def mmd_given(problem: Problem) -> Callable[[], tuple[float, tuple[float, ...], Array]]:
    """RBF with a given bandwidth."""
    _, z, w = problem
    kernel, dz = resolve("mmd_rbf", "cpu"), np.empty_like(z)
    return lambda: (kernel(z, w, problem.sigma2, dz)[0], (), dz)


def mmd_imq(problem: Problem) -> Callable[[], tuple[float, tuple[float, ...], Array]]:
    """Inverse multiquadratic kernels."""
    _, z, w = problem
    kernel, scales, dz = resolve("mmd_imq", "cpu"), problem.scales, np.empty_like(z)
    return lambda: (kernel(z, w, scales, dz), (), dz)


def pairwise(problem: Problem) -> Callable[[], Array]:
    """Into one array, again and again."""
    _, z, w = problem
    kernel, out = resolve("pairwise_squared", "cpu"), np.empty((len(z), len(w)), z.dtype)

    def call() -> Array:
        kernel(z, w, out)
        return out

    return call

"""KeOps: tiles on the fly like npae, compiled from the formula by the C++ compiler of the machine, which must be there.

It has no order statistic, so sigma2 is given to it also where others have to find it, and it does less than they do. The sums over j of k
and of k y come in one product, with the columns [y, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pykeops.numpy import LazyTensor

from bench.peers_of_kernels.numpy_forms import Result
from bench.peers_of_kernels.problem import Problem
from npae.kernels.kernel import Array
from npae.kernels.registry import resolve


def mmd(problem: Problem) -> Callable[[], Result]:
    """For the bandwidth of the problem's ranks."""
    _, z, w = problem
    statistic = resolve("distance_order_statistic", "cpu")
    return _value_and_gradient(problem, statistic(z, w, problem.ranks[0]) + statistic(z, z, problem.ranks[1]))


def mmd_given(problem: Problem) -> Callable[[], Result]:
    """For the given bandwidth."""
    return _value_and_gradient(problem, problem.sigma2)


def _value_and_gradient(problem: Problem, sigma2: float) -> Callable[[], Result]:
    _, z, w = problem
    n, m, d, rate = len(z), len(w), z.shape[1], 0.5 / sigma2
    scale = z.dtype.type(np.sqrt(rate))

    def kernel(x: Array, y: Array) -> Any:
        return (-((LazyTensor((scale * x)[:, None, :]) - LazyTensor((scale * y)[None, :, :])) ** 2).sum(-1)).exp()

    def with_ones(x: Array) -> Array:
        return np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1)

    def call() -> Result:
        zz, zw, ww = kernel(z, z) @ with_ones(z), kernel(z, w) @ with_ones(w), kernel(w, w).sum(axis=1)
        value = (zz[:, d].sum() - n) / (n * (n - 1)) + (ww.sum() - m) / (m * (m - 1)) - 2 * zw[:, d].sum() / (n * m)
        between, within = zw[:, d:] * z - zw[:, :d], zz[:, d:] * z - zz[:, :d]
        return float(value), (), 4 * rate / (n * m) * between - 4 * rate / (n * (n - 1)) * within

    return call

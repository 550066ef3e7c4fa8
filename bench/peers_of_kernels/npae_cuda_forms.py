"""npae's own kernels on a GPU, launched one by one: sigma2 stays on the device between the order statistics and the sums.

They run in a lane of their own, so its pool is the memory that they take beyond the inputs and the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.gpu.device import the_gpu
from bench.peers_of_kernels.on_gpu import OnGpu
from bench.peers_of_kernels.problem import Problem
from bench.peers_of_kernels.truth import ROWS
from npae.kernels.cuda.device import current
from npae.kernels.registry import resolve


class CupyClock:
    """Events in a lane."""

    def __init__(self) -> None:
        self.lane = current().lane()

    def seconds(self, work: Callable[[], object]) -> float:
        """Between two events."""
        with self.lane:
            return the_gpu().seconds(work)

    def extra(self, call: Callable[[], Any]) -> tuple[Any, int]:
        """What the lane's pool has taken."""
        with self.lane:
            given = call()
            self.lane.wait()
        return given, self.lane.allocated()


def _samples(problem: Problem) -> tuple[Any, Any, Any]:
    xp = current().xp
    return xp.asarray(problem.z), xp.asarray(problem.w), xp.zeros(problem.z.shape, problem.z.dtype)


def _read(given: tuple[Any, tuple[Any, ...], Any]) -> tuple[float, tuple[float, ...], Any]:
    value, distances, dz = given
    return float(value), tuple(map(float, distances)), current().xp.asnumpy(dz)


def mmd(problem: Problem) -> OnGpu:
    """RBF with the bandwidth of the problem's ranks."""
    z, w, dz = _samples(problem)
    statistic, kernel = resolve("distance_order_statistic", "gpu"), resolve("mmd_rbf", "gpu")
    of_zw, of_zz = problem.ranks

    def call() -> Any:
        of_both = statistic(z, w, of_zw), statistic(z, z, of_zz)
        return kernel(z, w, of_both[0] + of_both[1], dz)[0], of_both, dz

    return OnGpu(call, _read, CupyClock())


def mmd_given(problem: Problem) -> OnGpu:
    """RBF with a given bandwidth."""
    z, w, dz = _samples(problem)
    kernel, sigma2 = resolve("mmd_rbf", "gpu"), problem.sigma2
    return OnGpu(lambda: (kernel(z, w, sigma2, dz)[0], (), dz), _read, CupyClock())


def mmd_imq(problem: Problem) -> OnGpu:
    """Inverse multiquadratic kernels."""
    z, w, dz = _samples(problem)
    kernel, scales = resolve("mmd_imq", "gpu"), current().xp.asarray(problem.scales)
    return OnGpu(lambda: (kernel(z, w, scales, dz), (), dz), _read, CupyClock())


def pairwise(problem: Problem) -> OnGpu:
    """Into one array, again and again."""
    z, w, _ = _samples(problem)
    kernel, clock = resolve("pairwise_squared", "gpu"), CupyClock()
    with clock.lane:
        out = current().empty((len(z), len(w)), problem.z.dtype)

    def call() -> Any:
        kernel(z, w, out)
        return out

    return OnGpu(call, lambda given: np.asarray(current().xp.asnumpy(given[:ROWS])), clock)

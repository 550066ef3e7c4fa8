"""JAX on a GPU: the objectives of jax_forms.py, one jitted value_and_grad, compiled for the shapes before the first call.

JAX_DEFAULT_MATMUL_PRECISION=highest keeps its products in float32, as everybody's are; JAX has no events, so the end of the last of many
asynchronous calls is waited for. Its memory is what XLA says that the compiled call takes: temporaries and results.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from bench.peers_of_kernels.jax_forms import Objective, imq_objective, mmd_objective, squared
from bench.peers_of_kernels.on_gpu import OnGpu
from bench.peers_of_kernels.problem import Problem
from bench.peers_of_kernels.truth import ROWS


class JaxClock:
    """Of one compiled function."""

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled

    def seconds(self, work: Callable[[], object]) -> float:
        """Until what the last call gave is there."""
        started = time.perf_counter()
        jax.block_until_ready(work())  # type: ignore[no-untyped-call]
        return time.perf_counter() - started

    def extra(self, call: Callable[[], Any]) -> tuple[Any, int | None]:
        """As XLA planned it."""
        given, plan = call(), self.compiled.memory_analysis()
        return given, None if plan is None else int(plan.temp_size_in_bytes + plan.output_size_in_bytes)


def _read(given: Any) -> tuple[float, tuple[float, ...], Any]:
    (value, picked), dz = given
    return float(value), tuple(map(float, picked)), jax.device_get(dz)


def _of(objective: Objective, problem: Problem) -> OnGpu:
    z, w = jnp.asarray(problem.z), jnp.asarray(problem.w)
    step = jax.jit(jax.value_and_grad(objective, has_aux=True)).lower(z, w).compile()
    return OnGpu(lambda: step(z, w), _read, JaxClock(step))


def mmd(problem: Problem) -> OnGpu:
    """RBF with the bandwidth of the problem's ranks, which are found by a sort."""
    return _of(mmd_objective(problem), problem)


def mmd_imq(problem: Problem) -> OnGpu:
    """Inverse multiquadratic kernels."""
    return _of(imq_objective(problem), problem)


def pairwise(problem: Problem) -> OnGpu:
    """One matrix product."""
    z, w = jnp.asarray(problem.z), jnp.asarray(problem.w)
    compiled = jax.jit(squared).lower(z, w).compile()
    return OnGpu(lambda: compiled(z, w), lambda given: jax.device_get(given[:ROWS]), JaxClock(compiled))

"""What this machine can do at most, measured in the same run: the three rates that every floor is made of.

    rates(threads) -> {"gemm_flops", "copy_bytes", "exponentials"}        each a second, on so many threads; measured once a process

    gemm_flops       2 n^3 / seconds of NumPy's float32 matrix product at n = GEMM, by the BLAS that NumPy has loaded
    copy_bytes       bytes read and bytes written, per second, of np.copyto between float32 arrays of COPIED bytes, a pair for each thread
    exponentials     npae's own vectorised float32 exp over CACHED numbers that stay in the first-level cache, by each thread

The best of the calls that fit into SECONDS each: a floor is what could be reached, so what a neighbour took does not count.
    seconds_at_least(work, rates)    the time that so much work takes at those rates, added up: for parts that cannot overlap
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from npae.kernels.elementary import exp
from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.threads import share

SECONDS = 0.3
GEMM = 2048  # 34 GFLOP and 50 MB: 0.1 s of a fast core
COPIED = 1 << 26  # bytes: more than a core's share of any cache
CACHED, SWEEPS = 4096, 500  # 16 KiB, and how often a call goes over them


@jit(FAST)
def _exponentials(x: Array, y: Array, sweeps: int) -> None:
    """y = exp(x), again and again."""
    for s in range(sweeps):
        shift = x.dtype.type(s)
        for j in range(len(x)):
            y[j] = exp(x[j] - shift)  # a loop whose result does not change would be run once


def best(call: Callable[[], object], seconds: float = SECONDS) -> float:
    """The shortest time of one call, among those of so many seconds; the first does not count."""
    call()
    shortest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        call()
        shortest = min(shortest, time.perf_counter() - started)
    return shortest


def _gemm_flops(threads: int) -> float:
    a, b, c = (np.ones((GEMM, GEMM), np.float32) for _ in range(3))
    with threadpool_limits(threads):
        return 2 * GEMM**3 / best(lambda: np.matmul(a, b, out=c))


def _copy_bytes(threads: int) -> float:
    pairs = [(np.ones(COPIED // 4, np.float32), np.zeros(COPIED // 4, np.float32)) for _ in range(threads)]
    return 2 * COPIED * threads / best(lambda: share(threads, lambda t: np.copyto(pairs[t][1], pairs[t][0])))


def _exponential_rate(threads: int) -> float:
    pairs = [(np.linspace(-80, 0, CACHED, dtype=np.float32), np.empty(CACHED, np.float32)) for _ in range(threads)]
    return CACHED * SWEEPS * threads / best(lambda: share(threads, lambda t: _exponentials(*pairs[t], SWEEPS)))


@functools.cache
def rates(threads: int) -> dict[str, float]:
    """Units a second on so many threads."""
    return {
        "gemm_flops": _gemm_flops(threads),
        "copy_bytes": _copy_bytes(threads),
        "exponentials": _exponential_rate(threads),
    }


def seconds_at_least(work: Mapping[str, float], measured: Mapping[str, float]) -> float:
    """sum of work / rate, over the kinds of work that are named."""
    return sum(amount / measured[kind] for kind, amount in work.items())

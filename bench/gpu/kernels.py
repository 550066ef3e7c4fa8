"""Every kernel of the registry that has a gpu form: against its floor on this GPU, and against its cpu form, at sizes that grow.

    run(chosen=..., plan=...) -> rows, the crossover of each kernel, who was refused, rates

At each size the gpu form must first agree with the cpu form; the two are each as near to the reference as npae.kernels.kernel says, so they
may differ by twice that. Then they are timed in turn, on float32 arrays that lie on the device already:

    graph       calls recorded as one graph and replayed: what a call costs inside a training step
    launched    the same calls launched by Python one by one: what a call costs by itself
    cpu         the cpu form on one core, its arrays where the last call left them

A call takes the next of several copies of its arrays, so many that together they are CACHES times the second-level cache, at most COPIES:
small arrays stay in the cache, as they do in a step, and `rotated_bytes` says so. Sizes grow by STEP from FIRST until the arrays have
MOST_BYTES or the cpu form takes SLOW seconds; LARGE are there besides, for what only a GPU is for.
A kernel whose forms differ is not timed: it is among `refused` with the numbers, and the others are measured all the same.
The crossover is the size from which the GPU is faster, between two sizes by straight lines on logarithms.
Raises InputError for a kernel that has no gpu form.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bench.errors import Disagreement
from bench.gpu.device import Gpu, the_gpu
from bench.gpu.kernel_work import work
from bench.gpu.rates import floor_seconds, rates, uploads
from bench.interleave import Measure, Plan, Sample, interleaved
from bench.kernels import DTYPE, copy, measure_of
from bench.machine import machine, pinned, software
from bench.ratios import paired_ratio, quartiles
from npae.errors import InputError
from npae.kernels.cuda.device import current
from npae.kernels.kernel import EXACT, Kernel
from npae.kernels.registry import KERNELS, resolve

FIRST, STEP = 100, 4
MOST_BYTES, SLOW = 1 << 27, 0.2  # bytes of arrays, seconds of the cpu form: the last size has more, or takes longer
LARGE = {"adam": (100_000_000,)}
CACHES, COPIES = 2, 64


def on_device(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same, arrays in the device's memory."""
    return tuple(current().xp.array(value) if isinstance(value, np.ndarray) else value for value in arguments)


def numbers_of(kernel: Kernel, arguments: tuple[Any, ...], returned: Any) -> list[Any]:
    """Everything that a call wrote and returned, as NumPy's arrays."""
    values = [] if returned is None else [*returned] if isinstance(returned, tuple) else [returned]
    every = (*(arguments[place] for place in kernel.outputs), *values)
    xp = current().xp
    return [xp.asnumpy(value) if isinstance(value, xp.ndarray) else np.asarray(value) for value in every]


def check(kernel: Kernel, size: int, arguments: tuple[Any, ...]) -> float:
    """The largest difference between gpu and cpu form, as a share of the largest element; Disagreement where it is too large."""
    rtol, atol = (0.0, 0.0) if kernel.tolerances[DTYPE] == EXACT else [2 * allowed for allowed in kernel.tolerances[DTYPE]]
    on_cpu, there = copy(arguments), on_device(arguments)
    true = numbers_of(kernel, on_cpu, resolve(kernel.name, "cpu")(*on_cpu))
    worst = 0.0
    for value, expected in zip(numbers_of(kernel, there, resolve(kernel.name, "gpu")(*there)), true, strict=True):
        wide, exact = np.asarray(value, np.float64), np.asarray(expected, np.float64)
        difference, largest = float(np.max(np.abs(wide - exact))), float(np.max(np.abs(exact)))
        if not difference <= rtol * largest + atol:
            raise Disagreement(
                f"{kernel.name} at size {size}: gpu differs from cpu by {difference:.3g}, largest element {largest:.3g}; "
                f"allowed {rtol * largest + atol:.3g}"
            )
        worst = max(worst, difference / largest if largest else 0.0)
    return worst


def copies_of(arguments: tuple[Any, ...], gpu: Gpu) -> list[tuple[Any, ...]]:
    """As many copies on the device as the cache asks for."""
    size = sum(value.nbytes for value in arguments if isinstance(value, np.ndarray))
    wanted = min(COPIES, math.ceil(CACHES * gpu.cache_bytes() / size))
    return [on_device(arguments) for _ in range(max(1, wanted))]


def timed(gpu: Gpu, lane: Any, calls: Callable[[], object], each: int) -> Measure:
    """`calls` makes `each` calls."""

    def measure(count: int) -> Sample:
        times = math.ceil(count / each)

        def work() -> None:
            for _ in range(times):
                calls()

        own = time.process_time()
        with lane:
            seconds = gpu.seconds(work)
        return Sample(times * each, seconds, time.process_time() - own)

    return measure


def bench_kernel(kernel: Kernel, size: int, plan: Plan) -> dict[str, Any]:
    """A row, times in microseconds."""
    arguments = kernel.examples(np.random.default_rng(0), size, DTYPE)
    row: dict[str, Any] = {"kernel": kernel.name, "size": size, "difference": check(kernel, size, arguments)}
    gpu, lane, form, rotated = the_gpu(), current().lane(), resolve(kernel.name, "gpu"), copies_of(arguments, the_gpu())

    def calls() -> None:
        for each in rotated:
            form(*each)

    with lane:
        calls()
        before = lane.allocated()
        calls()
        replay = lane.record(calls)
    measures = {"graph": timed(gpu, lane, replay, len(rotated)), "launched": timed(gpu, lane, calls, len(rotated))}
    taken = interleaved(measures | {"cpu": measure_of(resolve(kernel.name, "cpu"), copy(arguments))}, plan)
    times = {name: [1e6 * measured.seconds for measured in every] for name, every in taken.items()}
    for name, every in times.items():
        row[name] = {"microseconds": quartiles(every)._asdict(), "rounds": every}
    done = work(kernel, arguments)
    size_of = [value for value in arguments if isinstance(value, np.ndarray)]
    row |= {"arrays": " ".join("x".join(map(str, value.shape)) for value in size_of), "bytes": sum(value.nbytes for value in size_of)}
    row |= {"rotated_bytes": row["bytes"] * len(rotated), "extra_bytes": before, "work": done}
    row["floor_microseconds"] = 1e6 * floor_seconds(done, rates())
    row["copy_share"] = 1e6 * done["copy_bytes"] / rates()["copy_bytes"] / row["graph"]["microseconds"]["median"]
    for name in ("graph", "launched"):
        row[f"{name}_over_cpu"] = paired_ratio(times[name], times["cpu"])._asdict()
    return row


def rows_of(kernel: Kernel, plan: Plan) -> list[dict[str, Any]]:
    """One a size."""
    rows, size = [bench_kernel(kernel, FIRST, plan)], FIRST
    while rows[-1]["bytes"] < MOST_BYTES and rows[-1]["cpu"]["microseconds"]["median"] < 1e6 * SLOW:
        size *= STEP
        rows.append(bench_kernel(kernel, size, plan))
    return rows + [bench_kernel(kernel, large, plan) for large in LARGE.get(kernel.name, ()) if large > size]


def crossover(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """The size from which `name` is never again slower than the cpu form: 0 where it never is, None where it is at the largest size."""
    points = [(row["size"], row[f"{name}_over_cpu"]["median"]) for row in rows]
    slower = [place for place, (_, ratio) in enumerate(points) if ratio > 1]
    if not slower:
        return 0.0
    if slower[-1] == len(points) - 1:
        return None
    (size, ratio), (larger, smaller) = points[slower[-1]], points[slower[-1] + 1]
    along = math.log(ratio) / (math.log(ratio) - math.log(smaller))
    return float(size * (larger / size) ** along)


def run(*, chosen: Sequence[str], plan: Plan) -> dict[str, Any]:
    """The whole result, as JSON can hold it."""
    from threadpoolctl import threadpool_limits

    lacking = [name for name in chosen if "gpu" not in KERNELS[name].forms]
    if lacking:
        raise InputError(f"--kernels {','.join(lacking)}: no form for a GPU is registered; leave it out, or take --device cpu")
    with pinned(1) as variables, threadpool_limits(1):
        where = machine(1) | {"variables": variables, "gpu": the_gpu().about()}
        measured, rows, crossovers, refused = rates(), [], {}, {}
        for name in chosen:
            print(f"{name} on {where['gpu']['name']}: {plan.rounds} rounds of {plan.seconds:g} s", file=sys.stderr)
            try:
                of_kernel = rows_of(KERNELS[name], plan)
            except Disagreement as error:
                refused[name] = str(error)
                continue
            crossovers[name] = {form: crossover(of_kernel, form) for form in ("graph", "launched")}
            rows += of_kernel
    head = {"machine": where, "versions": software(), "dtype": DTYPE, "rates": measured, "uploads": uploads()}
    return head | {"rows": rows, "crossovers": crossovers, "refused": refused}

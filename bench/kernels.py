"""Every kernel of the registry: its compiled form against its NumPy reference, side by side in one process.

A kernel is measured at the largest size that it is registered with, and at a training step's 100 rows where it is registered with those.
The compiled form must first agree with the reference as npae.kernels.kernel says. Inputs are float32. A kernel that is registered is
measured here with no code of its own. Raises Disagreement where the two forms differ.

The floor of a row is that of its arrays: all bytes that a call reads or writes, once, over the copy rate of main memory (floors.py). What
fits into a cache can be faster.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.errors import Disagreement
from bench.floors import rates, seconds_at_least
from bench.interleave import Measure, Plan, Sample, interleaved
from bench.machine import machine, pinned, software
from bench.ratios import paired_ratio, quartiles
from npae.kernels.kernel import EXACT, Kernel
from npae.kernels.registry import KERNELS, resolve

DTYPE, STEP = "float32", 100


def sizes(kernel: Kernel) -> list[int]:
    """A training step's, and the largest."""
    return sorted({max(kernel.sizes)} | {size for size in kernel.sizes if size == STEP})


def copy(arguments: tuple[Any, ...], dtype: str | None = None) -> tuple[Any, ...]:
    """Arrays of its own; those of floats in the given dtype."""

    def one(value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        return value.astype(dtype if dtype and value.dtype.kind == "f" else value.dtype)

    return tuple(map(one, arguments))


def results(kernel: Kernel, form: str, arguments: tuple[Any, ...]) -> list[Any]:
    """Everything that a call writes and returns, as float64 arrays."""
    returned = resolve(kernel.name, form)(*arguments)
    written = [arguments[place] for place in kernel.outputs]
    return [np.asarray(value, np.float64) for value in (*written, *np.atleast_1d([] if returned is None else returned))]


def check(kernel: Kernel, size: int, arguments: tuple[Any, ...]) -> float:
    """The largest difference from the reference, as a share of its largest element; Disagreement where it is too large."""
    rtol, atol = kernel.tolerances[DTYPE]
    exact = (rtol, atol) == EXACT
    true = results(kernel, "reference", copy(arguments, None if exact else "float64"))
    worst = 0.0
    for value, expected in zip(results(kernel, "cpu", copy(arguments)), true, strict=True):
        difference, largest = float(np.max(np.abs(value - expected))), float(np.max(np.abs(expected)))
        if not difference <= rtol * largest + atol:
            raise Disagreement(
                f"{kernel.name} at size {size}: cpu differs from its reference by {difference:.3g}, largest element {largest:.3g}"
            )
        worst = max(worst, difference / largest if largest else 0.0)
    return worst


def touched(kernel: Kernel, arguments: tuple[Any, ...]) -> int:
    """Bytes that a call reads and writes at least: every array once, and those that it changes twice."""
    arrays = {place: value for place, value in enumerate(arguments) if isinstance(value, np.ndarray)}
    changed = [place for place in kernel.outputs if place in arrays and np.isfinite(arrays[place]).all()]  # an output starts as NaN
    return sum(array.nbytes for array in arrays.values()) + sum(arrays[place].nbytes for place in changed)


def measure_of(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Measure:
    """Calls, as interleave.py wants them."""

    def measure(count: int) -> Sample:
        own, started = time.process_time(), time.perf_counter()
        for _ in range(count):
            function(*arguments)
        return Sample(count, time.perf_counter() - started, time.process_time() - own)

    return measure


def bench_kernel(kernel: Kernel, size: int, plan: Plan) -> dict[str, Any]:
    """A row, times in microseconds."""
    arguments = kernel.examples(np.random.default_rng(0), size, DTYPE)
    difference = check(kernel, size, arguments)
    measures = {form: measure_of(resolve(kernel.name, form), copy(arguments)) for form in ("reference", "cpu")}
    taken = interleaved(measures, plan)
    row: dict[str, Any] = {"kernel": kernel.name, "size": size, "difference": difference}
    row["arrays"] = " ".join("x".join(map(str, value.shape)) for value in arguments if isinstance(value, np.ndarray))
    times = {form: [1e6 * measured.seconds for measured in every] for form, every in taken.items()}
    for form, every in taken.items():
        row[form] = {"microseconds": quartiles(times[form])._asdict(), "rounds": times[form]}
        row[form]["others"] = [round(measured.others, 2) for measured in every]
    row["floor_microseconds"] = 1e6 * seconds_at_least({"copy_bytes": touched(kernel, arguments)}, rates(1))
    row["cpu_over_reference"] = paired_ratio(times["cpu"], times["reference"])._asdict()
    return row


def run(*, chosen: Sequence[str], plan: Plan) -> dict[str, Any]:
    """The whole result, as JSON can hold it; on one core, which is what the compiled kernels use."""
    from threadpoolctl import threadpool_limits

    rows = []
    with pinned(1) as variables, threadpool_limits(1):
        where = machine(1) | {"variables": variables}
        for name in chosen:
            print(f"{name}: {plan.rounds} rounds of {plan.seconds:g} s", file=sys.stderr)
            rows += [bench_kernel(KERNELS[name], size, plan) for size in sizes(KERNELS[name])]
    return {"machine": where, "versions": software(), "dtype": DTYPE, "rows": rows}

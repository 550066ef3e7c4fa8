"""Calls that between them launch every CUDA kernel of npae, for the tests that run them all: sanitised, one barrier short, captured.

    CALLS[name] -> Call        .arguments(device, size, dtype), the same for the same size and dtype        .run(*arguments)
                               .sizes that it may be called at        .written(arguments, returned) -> arrays that the call wrote
    SOME                       sizes around a warp and a block, of which every call has several

The registry's kernels are called with their own examples. Some are called again so that they take another branch, or with fewer blocks than
they would choose, so that a block does at a small size what it does at a large one. The kernels of a captured step have examples here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np
from device_arrays import host

from npae.kernels.cuda.device import Device
from npae.kernels.graph.gpu import Ending, begin_step, check_gradient, end_step, gather
from npae.kernels.mmd.gpu import _form
from npae.kernels.registry import KERNELS, resolve

SOME = (1, 2, 31, 33, 257)
Example = Callable[[np.random.Generator, int, str], tuple[Any, ...]]


@dataclass(frozen=True)
class Call:
    """One way to call one CUDA form. Arrays among the arguments that are not in `outputs` are only read."""

    form: Callable[..., Any]
    example: Example
    outputs: tuple[int, ...]
    sizes: tuple[int, ...] = SOME
    constants: Mapping[str, Any] = field(default_factory=dict)  # "module.NAME" of launchers, and what they are during the call

    def arguments(self, device: Device, size: int, dtype: str) -> list[Any]:
        """The arguments, the arrays on the device."""
        example = self.example(np.random.default_rng(size), size, dtype)
        return [device.xp.array(a) if isinstance(a, np.ndarray) else a for a in example]

    def run(self, *arguments: Any) -> Any:
        """What the form returns."""
        with contextlib.ExitStack() as changed:
            for name, value in self.constants.items():
                changed.enter_context(mock.patch(f"npae.kernels.{name}", value))
            return self.form(*arguments)

    def written(self, arguments: list[Any], returned: Any) -> list[np.ndarray[Any, Any]]:
        """The outputs and the returned numbers, as NumPy's."""
        numbers = [] if returned is None else list(returned) if isinstance(returned, tuple) else [returned]
        return [host(a) for a in [*(arguments[i] for i in self.outputs), *numbers]]


def registered(name: str, example: Example | None = None, **constants: Any) -> Call:
    """The registry's kernel of that name, with its own example or another."""
    kernel = KERNELS[name]
    named = {key.replace("__", ".", 2): value for key, value in constants.items()}
    return Call(resolve(name, "gpu"), example or kernel.examples, kernel.outputs, SOME[1:] if example else kernel.sizes, named)


def _long_points(name: str) -> Example:
    """The kernel's own example, with points of 70 features."""

    def example(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
        def points(rows: int) -> Any:
            return rng.standard_normal((rows, 70)).astype(dtype)

        old = KERNELS[name].examples(rng, size, dtype)
        width = old[0].shape[1]
        long = [isinstance(a, np.ndarray) and a.ndim == 2 and a.shape[1] == width and a.shape[0] in (size, size + 3) for a in old]
        return tuple(points(len(a)) if is_long else a for a, is_long in zip(old, long, strict=True))

    return example


def _product(name: str) -> Example:
    """Arguments of a dense kernel whose output has 70 x 40 elements, each the sum of `size` products."""

    def example(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
        def of(*shape: int) -> Any:
            return rng.standard_normal(shape).astype(dtype)

        return {
            "matmul": lambda: (of(70, size), of(size, 40), of(70, 40), False),
            "affine": lambda: (of(70, size), of(size, 40), of(40), "tanh", 0.0, of(70, 40)),
            "affine_data_gradient": lambda: (of(70, size), of(40, size), "relu", 0.0, of(70, 40), of(70, 40), True),
            "affine_weight_gradient": lambda: (of(size, 70), of(size, 40), of(70, 40), of(40)),
        }[name]()

    return example


def _points(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    return (rng.standard_normal((size, 20)).astype(dtype), size)


def _begin_step(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    counters, order, rows = np.array([41, 1]), rng.permutation(3 * size), np.full(size, -1)
    return counters, order, rows, rng.standard_normal((3 * size, 7)).astype(dtype), np.zeros((size, 7), dtype)


def _gather(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    return rng.standard_normal((size, 8)).astype(dtype), rng.integers(size, size=2 * size), np.zeros((2 * size, 8), dtype)


def _of_a_step(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    grad, bad = rng.standard_normal(20 * size).astype(dtype), np.zeros((), "uint32")
    log, counters, table, coefficients = np.full((2, 3), np.nan), np.array([41, 1]), rng.standard_normal((2, 5)), np.full(5, np.nan)
    return grad, rng.standard_normal(3), bad, np.array(7.0), log, counters, table, coefficients


def _each(numbers: Any) -> list[Any]:
    return [numbers[k : k + 1] for k in range(3)]


def _check_gradient(clip_norm: float | None, ends: bool) -> Callable[..., None]:
    def run(grad: Any, numbers: Any, bad: Any, scale: Any, *end: Any) -> None:
        check_gradient(grad, _each(numbers), clip_norm, bad, scale, Ending(_each(numbers), *end) if ends else None)

    return run


def _end_step(grad: Any, numbers: Any, bad: Any, scale: Any, *end: Any) -> None:
    end_step(Ending(_each(numbers), *end), bad)


PRODUCTS = ("matmul", "affine", "affine_data_gradient", "affine_weight_gradient")
FEW_BLOCKS = {"mmd__gpu___form": lambda *point: _form(*point)._replace(wanted=1, most=1)}
PASSES = {"order_statistic__gpu__FEW": 16, "order_statistic__gpu__MOST_BLOCKS": 2}
order_statistic, locate = resolve("distance_order_statistic", "gpu"), resolve("locate_distance", "gpu")
of_passes = {key.replace("__", ".", 2): value for key, value in PASSES.items()}

CALLS = {
    **{name: registered(name) for name, kernel in KERNELS.items() if "gpu" in kernel.forms},
    "pairwise_squared, long points": registered("pairwise_squared", _long_points("pairwise_squared")),
    "mmd_rbf, few blocks": registered("mmd_rbf", **FEW_BLOCKS),
    "mmd_rbf, long points": registered("mmd_rbf", _long_points("mmd_rbf"), **FEW_BLOCKS),
    "mmd_imq, few blocks": registered("mmd_imq", **FEW_BLOCKS),
    "mmd_imq, long points": registered("mmd_imq", _long_points("mmd_imq"), **FEW_BLOCKS),
    "relabelled_sums, few blocks": registered("relabelled_sums", relabelled__gpu__MOST=1),
    "distance_order_statistic, passes": registered("distance_order_statistic", **PASSES),
    "distance_order_statistic, of one sample": Call(lambda z, rank: order_statistic(z, z, rank), _points, (), SOME[1:], of_passes),
    "locate_distance, long points": registered("locate_distance", _long_points("locate_distance"), **PASSES),
    **{f"{name}, large tiles": registered(name, _product(name), dense__gpu__ENOUGH=1) for name in PRODUCTS},
    "begin_step": Call(begin_step, _begin_step, (2, 4)),
    "gather": Call(gather, _gather, (2,)),
    "check_gradient": Call(_check_gradient(None, False), _of_a_step, (2, 3)),
    "check_gradient, clipped": Call(_check_gradient(0.5, False), _of_a_step, (2, 3)),
    "check_gradient, ending": Call(_check_gradient(0.5, True), _of_a_step, (2, 3, 4, 5, 7)),
    "end_step": Call(_end_step, _of_a_step, (4, 5, 7)),
}

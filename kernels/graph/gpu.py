"""The parts of a captured step that are no layer: everything that changes from step to step lies on the device, nothing is read back.

    begin_step(counters, order, rows, data, x)                            one launch
    gather(data, rows, out)                                               one launch
    check_gradient(grad, finite, clip_norm, bad, gradient_scale, end)     one launch, with what end_step does if `end` is given
    end_step(numbers, bad, log, counters)                                 one launch

Arrays are C-contiguous, on the device. Raises TypeError for one that is not, or of another dtype or shape, and ValueError for more numbers
or coefficients than MOST_NUMBERS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import MOST_BLOCKS, THREADS, blocks, elementwise
from npae.kernels.kernel import Array

SOURCE = "graph/graph.cu"
MOST_NUMBERS = 32  # in a list of them
MOST = 8 * MOST_BLOCKS  # blocks that copy rows; a thread then copies more than one part
NOTHING = np.uint64(0)  # the address of no array


class Ending(NamedTuple):
    """What the end of a step logs, and the coefficients that it takes from their table: log (K, T), table (K, C), coefficients (C,)."""

    numbers: Sequence[Any]
    log: Array
    counters: Array
    table: Array
    coefficients: Array


def begin_step(counters: Array, order: Array, rows: Array, data: Array, x: Array) -> None:
    """rows (B,) = order[k B ...], and x (B, F) = data (N, F)[rows].        counters (2,) = (t, k), order and rows are int64."""
    for name, array in (("counters", counters), ("order", order), ("rows", rows)):
        _check(name, array, "int64", array.shape)
    size = _bytes_of_row(data, x, len(rows))
    arguments = (counters, order, rows, len(rows), data, x, size)
    current().launch(SOURCE, "begin_step", "float32", _copy_grid(len(rows), size), THREADS, arguments)


def gather(data: Array, rows: Array, out: Array) -> None:
    """out (B, ...) = data (N, ...)[rows (B,)]; elements of 4 or 8 bytes: rows of float32 or float64, labels of int64."""
    _check("rows", rows, "int64", rows.shape)
    size = _bytes_of_row(data, out, len(rows))
    current().launch(SOURCE, "gather", "float32", _copy_grid(len(rows), size), THREADS, (data, rows, out, len(rows), size))


def check_gradient(
    grad: Array, finite: Sequence[Any], clip_norm: float | None, bad: Array, gradient_scale: Array, end: Ending | None = None
) -> None:
    """gradient_scale = min(1, clip_norm / |grad|), or NaN and then bad = 1; the step is ended too, where `end` is given.

    grad (P,); finite: numbers on the device that must be finite; bad: 0-d uint32, stays 1 until the host sets it back; gradient_scale: 0-d.
    """
    _check("bad", bad, "uint32", ())
    _check("gradient_scale", gradient_scale, "float64", ())
    gpu = current()
    grid, block = elementwise(grad.size)
    largest = math.inf if clip_norm is None else float(clip_norm)
    ending = (_addresses(()), 0, *(NOTHING,) * 4, 0) if end is None else _ending(end)
    checked = (grad, grad.size, _addresses(finite), len(finite), largest, *gpu.sum_room(grid), bad, gradient_scale)
    gpu.launch(SOURCE, "check_gradient", grad.dtype, grid, block, (*checked, *ending))


def end_step(end: Ending, bad: Array) -> None:
    """log[k] (T,) = numbers, coefficients (C,) = table[k], t += 1, k += 1; nothing of it where bad is set."""
    _check("bad", bad, "uint32", ())
    current().launch(SOURCE, "end_step", "float32", 1, MOST_NUMBERS, (*_ending(end), bad))


def _ending(end: Ending) -> tuple[Any, ...]:
    numbers, log, counters, table, coefficients = end
    _check("log", log, "float64", (len(log), len(numbers)))
    _check("counters", counters, "int64", (2,))
    if coefficients.size > MOST_NUMBERS:
        raise ValueError(f"{coefficients.size} coefficients: a step ends with at most {MOST_NUMBERS}")
    _check("coefficients", coefficients, "float64", (coefficients.size,))
    _check("table", table, "float64", (len(table), coefficients.size))
    return _addresses(numbers), len(numbers), log, counters, table, coefficients, coefficients.size


def _addresses(numbers: Sequence[Any]) -> Array:
    """Where they lie, as one argument that is passed by value."""
    if len(numbers) > MOST_NUMBERS:
        raise ValueError(f"{len(numbers)} numbers: a kernel takes at most {MOST_NUMBERS}")
    addresses = np.zeros((), [("at", "u8", (MOST_NUMBERS,))])
    for k, number in enumerate(numbers):
        _check(f"number {k}", number, "float64", (1,) * number.ndim)
        addresses["at"][k] = current().address(number)
    return addresses


def _check(name: str, array: Array, dtype: str, shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise TypeError(f"{name}: {array.dtype} {array.shape} is not {dtype} {shape}")


def _bytes_of_row(data: Array, out: Array, rows: int) -> int:
    _check("out", out, str(data.dtype), (rows, *data.shape[1:]))
    if data.itemsize not in (4, 8):
        raise TypeError(f"data: {data.dtype} has elements of {data.itemsize} bytes, not of 4 or 8")
    return data.itemsize * math.prod(data.shape[1:])


def _copy_grid(rows: int, bytes_of_row: int) -> int:
    return min(blocks(max(rows, rows * bytes_of_row // 16), THREADS), MOST)

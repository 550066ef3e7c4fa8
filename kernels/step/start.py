"""What a run of steps finds ready: the transposed copies of the weights, and the sums of their squares tile by tile."""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.codes import CHUNK
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.product import panel_width
from npae.kernels.step.transpose import transpose
from npae.kernels.step.update import squares_of


@jit(FAST)
def turn(kind: Any, w: int, n_in: int, n_out: int, turned: int) -> None:
    """turned (n_out, n_in) = w (n_in, n_out) turned."""
    transpose(kind, w, n_out, turned, n_in, n_in, n_out)


@jit(FAST)
def square(kind: Any, w: int, n_in: int, n_out: int, whole: bool, sums: Array) -> None:
    """sums of w^2: one for each tile, row by row as the update forms it; `whole`: one for all, as for a bias."""
    size, width = size_of(kind), panel_width(kind)
    if whole:
        sums[0] = squares_of(array_at(kind, w, n_out))
        return
    place = 0
    for i in range(0, n_in, CHUNK):
        for j in range(0, n_out, width):
            total = 0.0
            for r in range(i, min(i + CHUNK, n_in)):
                total += squares_of(array_at(kind, w + size * (r * n_out + j), min(width, n_out - j)))
            sums[place] = total
            place += 1

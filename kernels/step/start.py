"""What a run of steps finds ready: the transposed copies of the weights, and the sums of their squares part by part."""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.memory import size_of
from npae.kernels.step.transpose import transpose
from npae.kernels.step.update import squares_of


@jit(FAST)
def turn(kind: Any, w: int, n_in: int, n_out: int, turned: int) -> None:
    """turned (n_out, n_in) = w (n_in, n_out) turned."""
    transpose(kind, w, n_out, turned, n_in, n_in, n_out)


@jit(FAST)
def square(kind: Any, w: int, n_in: int, n_out: int, rows: int, sums: Array) -> None:
    """sums of w^2, one for each `rows` rows of W, as its update forms them."""
    for place in range(len(sums)):
        first = place * rows
        sums[place] = squares_of(kind, w + size_of(kind) * first * n_out, min(rows, n_in - first), n_out)

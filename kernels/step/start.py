"""What a run of steps finds ready beside the weights in panels: W^T, and the sums of the squares of W, part by part."""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.codes import PART_ROWS
from npae.kernels.step.memory import size_of
from npae.kernels.step.panels import turn_part
from npae.kernels.step.product import panel_width
from npae.kernels.step.update import squares_of


@jit(FAST)
def turn(kind: Any, panels: int, turned: int, n_in: int, n_out: int, depth: int, above: int) -> None:
    """The panels of W^T from those of W."""
    width = panel_width(kind)
    for j in range(0, n_out, width):
        turn_part(kind, panels + size_of(kind) * j * n_in, turned, 0, j, n_in, min(width, n_out - j), n_in, depth, above)


@jit(FAST)
def square(kind: Any, panels: int, n_in: int, n_out: int, sums: Array) -> None:
    """sums of w^2, one for each part, as its update forms them."""
    width, place = panel_width(kind), 0
    for j in range(0, n_out, width):
        n = min(width, n_out - j)
        for i in range(0, n_in, PART_ROWS):
            sums[place] = squares_of(kind, panels + size_of(kind) * (j * n_in + i * n), min(PART_ROWS, n_in - i), n)
            place += 1

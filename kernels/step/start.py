"""What a run of steps finds ready beside the weights in panels: W^T, and the sums of the squares of W, part by part."""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, entry_point
from npae.kernels.step.codes import PART_ROWS
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.panels import turn_part
from npae.kernels.step.product import panel_width
from npae.kernels.step.update import squares_of


@entry_point(FAST)
def turn(kind: Any, panels: int, turned: int, n_in: int, n_out: int, depth: int, above: int) -> None:
    """The panels of W^T from those of W."""
    width, j = panel_width(kind), 0
    while j < n_out:
        turn_part(kind, panels + size_of(kind) * j * n_in, turned, 0, j, n_in, min(width, n_out - j), n_in, depth, above)
        j += width


@entry_point(FAST)
def square(kind: Any, panels: int, n_in: int, n_out: int, sums: int) -> None:
    """sums of w^2, one for each part, as its update forms them."""
    width, place, j = panel_width(kind), 0, 0
    while j < n_out:
        n = min(width, n_out - j)
        for i in range(0, n_in, PART_ROWS):
            part = panels + size_of(kind) * (j * n_in + i * n)
            array_at(0.0, sums + 8 * place, 1)[0] = squares_of(kind, part, min(PART_ROWS, n_in - i), n)
            place += 1
        j += width


@entry_point(FAST)
def square_row(kind: Any, b: int, n: int, total: int) -> None:
    """the sum of b^2"""
    array_at(0.0, total, 1)[0] = squares_of(kind, b, 1, n)

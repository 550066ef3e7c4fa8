"""Before a run of steps, and after it: weights go to panels and back, what follows from them is made ready. Tables of int64, a row each:

    copies     matrix, panels, rows, columns, ld, width       a W, its m or its v: see panels.py
    turns      panels, turned, n_in, n_out, depth, above      W^T, from the panels of W
    squares    panels, rows, columns, sums                    sums of w^2, one for each part of the panels, as its update forms them
    biases     b, n, sum                                      the sum of b^2

All of them are addresses, of C-contiguous arrays that the caller keeps alive.
"""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, entry_point, jit
from npae.kernels.step.codes import PART_ROWS
from npae.kernels.step.memory import array_at, matrix_at, size_of
from npae.kernels.step.panels import from_panels, to_panels, turn_part
from npae.kernels.step.product import panel_width
from npae.kernels.step.update import squares_of


@jit(FAST)
def _turn(kind: Any, panels: int, turned: int, n_in: int, n_out: int, depth: int, above: int) -> None:
    """The panels of W^T."""
    width, j = panel_width(kind), 0
    while j < n_out:
        turn_part(kind, panels + size_of(kind) * j * n_in, turned, 0, j, n_in, min(width, n_out - j), n_in, depth, above)
        j += width


@jit(FAST)
def _square(kind: Any, panels: int, rows: int, columns: int, sums: int) -> None:
    """The sums of all parts."""
    width, place, j = panel_width(kind), 0, 0
    while j < columns:
        n = min(width, columns - j)
        for i in range(0, rows, PART_ROWS):
            part = panels + size_of(kind) * (j * rows + i * n)
            array_at(0.0, sums + 8 * place, 1)[0] = squares_of(kind, part, min(PART_ROWS, rows - i), n)
            place += 1
        j += width


@entry_point(FAST)
def make_ready(
    kind: Any, copies: int, n_copies: int, turns: int, n_turns: int, squares: int, n_squares: int, biases: int, n_biases: int
) -> None:
    """Panels, W^T and sums of squares as the parameters are now."""
    copied, turned = matrix_at(0, copies, n_copies, 6), matrix_at(0, turns, n_turns, 6)
    squared, rows = matrix_at(0, squares, n_squares, 4), matrix_at(0, biases, n_biases, 3)
    for k in range(n_copies):
        to_panels(kind, copied[k, 0], copied[k, 1], copied[k, 2], copied[k, 3], copied[k, 4], copied[k, 5])
    for k in range(n_turns):
        _turn(kind, turned[k, 0], turned[k, 1], turned[k, 2], turned[k, 3], turned[k, 4], turned[k, 5])
    for k in range(n_squares):
        _square(kind, squared[k, 0], squared[k, 1], squared[k, 2], squared[k, 3])
    for k in range(n_biases):
        array_at(0.0, rows[k, 2], 1)[0] = squares_of(kind, rows[k, 0], 1, rows[k, 1])


@entry_point(FAST)
def hand_back(kind: Any, copies: int, n_copies: int) -> None:
    """The matrices from the panels."""
    copied = matrix_at(0, copies, n_copies, 6)
    for k in range(n_copies):
        from_panels(kind, copied[k, 0], copied[k, 1], copied[k, 2], copied[k, 3], copied[k, 4], copied[k, 5])

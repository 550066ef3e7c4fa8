"""Weights in panels of columns, as a run of steps keeps them: W, and Adam's m and v beside it; and a panel of W^T, which backward needs.

    W (n_in, n_out)     W_ij at  p n_in + i n + j - p,    p = j div P P the panel's first column, n = min(P, n_out - p) its width

P = panel_width(kind). A part of a panel, some whole rows of it, is one run of memory, which the processor sees coming; in W itself every
row of it would lie on another page. W^T is not kept: to turn a panel of it while it is used costs less than to write it beside every new W.

    to_panels, from_panels(kind, matrix, panels, rows, columns, ld, width) between `columns` of a matrix, whose rows are ld wide, and their
                                                                           panels, `width` wide
    turn_panel(kind, panels, n_in, n_out, i, n, turned)                    the panel of W^T of n columns, the rows i .. i + n - 1 of W
Addresses in bytes, strides in elements.
"""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, entry_point, jit
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.product import panel_width
from npae.kernels.step.transpose import transpose


@jit(FAST)
def _by_panels(kind: Any, matrix: int, panels: int, rows: int, columns: int, ld: int, width: int, inward: bool) -> None:
    """panels = matrix, or matrix = panels"""
    size = size_of(kind)
    for r in range(rows):
        p = 0
        while p < columns:  # range with such a step could raise an error, which an entry cannot
            n = min(width, columns - p)
            row, part = array_at(kind, matrix + size * (r * ld + p), n), array_at(kind, panels + size * (p * rows + r * n), n)
            source, target = (row, part) if inward else (part, row)
            for j in range(n):
                target[j] = source[j]
            p += width


@entry_point(FAST)
def to_panels(kind: Any, matrix: int, panels: int, rows: int, columns: int, ld: int, width: int) -> None:
    """panels = matrix"""
    _by_panels(kind, matrix, panels, rows, columns, ld, width, True)


@entry_point(FAST)
def from_panels(kind: Any, matrix: int, panels: int, rows: int, columns: int, ld: int, width: int) -> None:
    """matrix = panels"""
    _by_panels(kind, matrix, panels, rows, columns, ld, width, False)


@jit(FAST)
def turn_panel(kind: Any, panels: int, n_in: int, n_out: int, i: int, n: int, turned: int) -> None:
    """turned (n_out, n) = W_ij .. W_i+n-1,j for all j"""
    size, width = size_of(kind), panel_width(kind)
    for j in range(0, n_out, width):
        across = min(width, n_out - j)
        transpose(kind, panels + size * (j * n_in + i * across), across, turned + size * j * n, n, n, across)

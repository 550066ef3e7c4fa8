"""Weights in panels of columns, as a run of steps keeps them: W, and Adam's m and v beside it; and the panels of W^T that backward reads.

    W (n_in, n_out)     W_ij at  p n_in + i n + j - p,    p = j div P P the panel's first column, n = min(P, n_out - p) its width
    W^T (depth, n_in)   in the same way; depth = n_out, or more where other heads stand beside this one

P = panel_width(kind). A part of a panel, some whole rows of it, is one run of memory, which the processor sees coming; in W itself every
row of it would lie on another page.

    to_panels, from_panels(kind, matrix, panels, rows, columns, ld, width) between `columns` of a matrix, whose rows are ld wide, and their
                                                                           panels, `width` wide
    turned_at(kind, turned, i, j, n_in, depth, above)                      address of W_ij among the panels of W^T
    turn_part(kind, panels, turned, i, j, rows, n, n_in, depth, above)     W_ij, rows x n, to its place in the panels of W^T; `above` rows
                                                                           of another head come before
Addresses in bytes, strides in elements.
"""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, jit
from npae.kernels.step.memory import copied, size_of
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
            row, part = matrix + size * (r * ld + p), panels + size * (p * rows + r * n)
            copied(kind, row if inward else part, part if inward else row, n)
            p += width


@jit(FAST)
def to_panels(kind: Any, matrix: int, panels: int, rows: int, columns: int, ld: int, width: int) -> None:
    """panels = matrix"""
    _by_panels(kind, matrix, panels, rows, columns, ld, width, True)


@jit(FAST)
def from_panels(kind: Any, matrix: int, panels: int, rows: int, columns: int, ld: int, width: int) -> None:
    """matrix = panels"""
    _by_panels(kind, matrix, panels, rows, columns, ld, width, False)


@jit(FAST)
def turned_at(kind: Any, turned: int, i: int, j: int, n_in: int, depth: int, above: int) -> int:
    """`above` rows of another head come before."""
    width = panel_width(kind)
    first = i // width * width
    place: int = turned + size_of(kind) * (first * depth + (above + j) * min(width, n_in - first) + i - first)
    return place


@jit(FAST)
def turn_part(kind: Any, part: int, turned: int, i: int, j: int, rows: int, n: int, n_in: int, depth: int, above: int) -> None:
    """part (rows, n), whose first element is W_ij, into the panels of W^T."""
    size, width, r = size_of(kind), panel_width(kind), 0
    while r < rows:
        p = (i + r) // width * width
        across = min(width, n_in - p)
        count = min(rows - r, p + across - (i + r))
        transpose(kind, part + size * r * n, n, turned_at(kind, turned, i + r, j, n_in, depth, above), across, count, n)
        r += count

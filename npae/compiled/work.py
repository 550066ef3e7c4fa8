"""What a phase of a step consists of, and how a batch and a layer are cut.

    Work        operations that are done one after the other, for each range
    blocks      row 0 .. B in blocks
    shares      the columns of a wide layer in shares, each of which one thread computes, reads and moves

Works of a phase are done side by side, their ranges too. Weights that one core writes and another reads cost both of them time; a share of
them stays with one thread from step to step. What is not worth that is cut by rows of the batch alone.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TypeAlias

from npae.kernels.step.operations import Operation

Named: TypeAlias = tuple[str, Operation]
Range: TypeAlias = tuple[int, int]

EVEN = 2  # rows of a block are a multiple of it: then tiles of six and of four rows cover them
MIDDLE = 0.5
UNIT = 256  # bytes: a share is a multiple of it wide, which is one of every panel


@dataclass
class Work:
    """Operations in order, and the ranges of each: rows; or first row and column of a part; or the block."""

    operations: list[Named]
    ranges: list[Range]
    place: float = MIDDLE  # 0 .. 1: threads share a phase out in this order


def blocks(batch: int, count: int) -> list[Range]:
    """That many blocks of rows, or as many as there are rows."""
    count = max(1, min(batch, count))
    whole = EVEN if batch >= 4 * EVEN * count else 1
    edges = [*(batch * k // count // whole * whole for k in range(count)), batch]
    return list(itertools.pairwise(edges))


def shares(columns: int, item: int, most: int) -> list[Range]:
    """First column and number of columns of each share; `item` bytes a number."""
    unit = UNIT // item
    units = -(-columns // unit)
    count = max(1, min(units, most))
    edges = [*(units * k // count * unit for k in range(count)), columns]
    return [(first, last - first) for first, last in itertools.pairwise(edges)]

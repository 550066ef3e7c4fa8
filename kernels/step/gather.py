"""The batch out of the data: each handler reads its fields in the order in which operations.py has them.

Rows of the data lie anywhere in memory: those of the next step are asked for in time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import FAST, entry_point, jit
from npae.kernels.kernel import Array
from npae.kernels.step.codes import AHEAD, AT_A_TIME, MOMENT, ORDER
from npae.kernels.step.levels import written_out
from npae.kernels.step.memory import array_at, copied, fetch, size_of
from npae.kernels.step.nonzeros import scattered
from npae.kernels.step.table import INTS

_INT32 = np.int32(0)
SOON = 3  # rows from now, whose nonzeros are brought near from where the step before has brought them


@entry_point(FAST)
def gather(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """x_b = data[order_b]"""
    f, moment = array_at(0, op, INTS), array_at(0, now, MOMENT)
    data, features, x = f[1], f[2], f[3]
    size, taken, ahead = size_of(kind), array_at(0, moment[ORDER], hi), array_at(0, moment[AHEAD], hi)
    for r in range(lo, hi):
        copied(kind, data + size * taken[r] * features, x + size * r * features, features)
    for r in range(lo, hi):
        fetch(data + size * ahead[r] * features, size * features)


@jit(FAST)
def _begin_at(place: int, source: int, target: int, count: int) -> None:
    """Where the blocks of a row begin that is kept at that place."""
    among_its_own, begins = array_at(0, source, count), array_at(0, target, count)
    for block in range(count):
        begins[block] = place + among_its_own[block]


@jit(FAST)
def _fetch_nonzeros(f: Array, of_index: int, of_value: int, row: int) -> None:
    """Begin to bring those of a row of the data nearer."""
    ends, of_starts = array_at(0, f[4] + 8 * row, 2), 8 * (f[3] + 1)
    fetch(f[5] + of_index * ends[0], of_index * (ends[1] - ends[0]))
    fetch(f[6] + of_value * ends[0], of_value * (ends[1] - ends[0]))
    fetch(f[7] + of_starts * row, of_starts)


@entry_point(FAST)
def gather_sparse(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """the nonzeros of x_b = data[order_b], row after row from place lo F on, and x_b from them"""
    f, moment = array_at(0, op, INTS), array_at(0, now, MOMENT)
    features, x, blocks, bounds, in_levels = f[1], f[2], f[3], f[4], f[8]
    size, taken, ahead, of_starts = size_of(kind), array_at(0, moment[ORDER], hi), array_at(0, moment[AHEAD], hi), 8 * (blocks + 1)
    of_index, of_value = (2, 1) if in_levels else (4, size)
    place = lo * features
    for r in range(lo, hi):
        _fetch_nonzeros(f, of_index, of_value, taken[min(r + SOON, hi - 1)])
        ends = array_at(0, bounds + 8 * taken[r], 2)
        first, count = ends[0], ends[1] - ends[0]
        indices, values = f[9] + 4 * place, f[10] + size * place
        if in_levels:
            some = min(count + -count % AT_A_TIME, hi * features - place)  # the next row is written over what is too many
            written_out(kind, f[5] + 2 * first, f[6] + first, some, indices, values)
        else:
            copied(_INT32, f[5] + 4 * first, indices, count)
            copied(kind, f[6] + size * first, values, count)
        _begin_at(place, f[7] + of_starts * taken[r], f[11] + of_starts * r, blocks + 1)
        scattered(kind, indices, values, count, x + size * r * features, features)
        place += count
    for r in range(lo, hi):
        _fetch_nonzeros(f, of_index, of_value, ahead[r])

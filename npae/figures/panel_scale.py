"""Which scale shows a curve that starts far from where it settles.

The rows of a panel are its values at each epoch (train, validation). The first fifth of them is the start, the others are settled.

    log      when all values are positive, span more than 1.5 decades (but not 100: then the least is meant to be zero), and the settled
             ones fill a quarter of that span or more
    linear   otherwise; as few rows of the start as possible are left out of the limits, until the settled ones fill a quarter of the panel
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Rows: TypeAlias = Sequence[Sequence[float]]

FILLED = 0.25  # the part of a panel that the settled rows take at least
MARGIN = 0.05  # of the range, on either side


@dataclass(frozen=True)
class PanelScale:
    """`log` or linear; limits without the first `hidden` rows, by as much as an axis leaves around its curves."""

    log: bool
    hidden: int
    low: float
    high: float


def panel_scale(rows: Rows) -> PanelScale:
    """The scale for `rows`, each with at least one value, all finite."""
    low, high = _range(rows)
    start = len(rows) // 5
    if low > 0 and 1.5 < math.log10(high) - math.log10(low) < 100:
        settled_low, settled_high = _range(rows[start:])
        if FILLED * math.log(high / low) <= math.log(settled_high / settled_low):
            factor = (high / low) ** MARGIN
            return PanelScale(True, 0, low / factor, high * factor)
    hidden = left_out(rows, start)
    low, high = _range(rows[hidden:])
    margin = MARGIN * (high - low) or MARGIN * abs(high) or MARGIN
    return PanelScale(False, hidden, low - margin, high + margin)


def left_out(rows: Rows, start: int) -> int:
    """How many rows of the start leave a linear panel so that the settled ones, from `start` on, fill a quarter of it."""
    low, high = _range(rows[start:])
    if high - low <= 1e-4 * max(abs(low), abs(high)):  # settled to a constant: nothing to be seen by looking closer
        return 0
    return next(k for k in range(start + 1) if FILLED * _width(rows[k:]) <= high - low)


def _range(rows: Rows) -> tuple[float, float]:
    return min(map(min, rows)), max(map(max, rows))


def _width(rows: Rows) -> float:
    low, high = _range(rows)
    return high - low

"""Which scale shows a curve that starts far from where it settles.

rows   the values of a panel at each epoch (train, validation), in order; the first fifth of them is the start, the others are settled

log      when all values are positive, span more than 1.5 decades, and the settled ones fill a quarter of that span or more
linear   otherwise; as few rows of the start as possible are left out of the limits, until the settled ones fill a quarter of the panel
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Rows: TypeAlias = Sequence[Sequence[float]]


@dataclass(frozen=True)
class PanelScale:
    """`log` or linear; limits without the first `hidden` rows, by as much as an axis leaves around its curves."""

    log: bool
    hidden: int
    low: float
    high: float


def panel_scale(rows: Rows) -> PanelScale:
    """The scale for `rows`, each with at least one finite value."""
    low, high = _range(rows)
    start = len(rows) // 5
    if low > 0 and math.log10(high / low) > 1.5:
        settled_low, settled_high = _range(rows[start:])
        if 4 * math.log(settled_high / settled_low) >= math.log(high / low):
            margin = (high / low) ** 0.05
            return PanelScale(True, 0, low / margin, high * margin)
    hidden = _left_out(rows, start)
    low, high = _range(rows[hidden:])
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    return PanelScale(False, hidden, low - margin, high + margin)


def _left_out(rows: Rows, start: int) -> int:
    low, high = _range(rows[start:])
    if high - low <= 1e-4 * max(abs(low), abs(high)):  # settled to a constant: nothing to be seen by looking closer
        return 0
    return next(k for k in range(start + 1) if _width(rows[k:]) <= 4 * (high - low))


def _range(rows: Rows) -> tuple[float, float]:
    return min(map(min, rows)), max(map(max, rows))


def _width(rows: Rows) -> float:
    low, high = _range(rows)
    return high - low

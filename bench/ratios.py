"""Statistics of a measurement that is repeated in rounds.

quartiles of a_1 .. a_R              the middle half of the rounds, and their median
paired ratio of A to B               quartiles of a_1/b_1 .. a_R/b_R: what slowed both in one round is divided out
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Quartiles(NamedTuple):
    """A quarter of the values lies below q1, half below the median, three quarters below q3."""

    q1: float
    median: float
    q3: float


def quartiles(values: Sequence[float]) -> Quartiles:
    """Interpolated between the sorted values, the extremes included; a single value is all three."""
    if len(values) == 1:
        return Quartiles(values[0], values[0], values[0])
    return Quartiles(*statistics.quantiles(values, n=4, method="inclusive"))


def paired_ratio(a: Sequence[float], b: Sequence[float]) -> Quartiles:
    """Quartiles of a/b, round by round."""
    return quartiles([x / y for x, y in zip(a, b, strict=True)])

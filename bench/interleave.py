"""Measurements that survive a noisy machine: everybody is measured in turn, A B C ... C B A, and compared within a round.

    measure(count) -> (done, seconds)     does at least `count` units of work and says how many it did, and how long that took
    interleaved(measures, ...) -> {name: [seconds a unit, one a round]}

Neighbours on a shared machine, and a clock that follows the temperature, change the speed of everything by half or more from one second to
the next. What is measured in the same round suffers from them alike, so ratios.py compares there and nowhere else. A round measures each
one for at least `seconds`; every second round runs backwards, so that nobody always follows the same neighbour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

Measure: TypeAlias = Callable[[int], tuple[int, float]]

PARTS = 4  # a measurement is about so many calls: few enough to cost nothing, enough not to overshoot


def interleaved(measures: Mapping[str, Measure], *, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Seconds a unit of work, for everyone and every round."""
    counts = {name: _warm_up(measure, seconds / PARTS) for name, measure in measures.items()}
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        for name in list(measures) if number % 2 == 0 else reversed(measures):
            taken[name].append(_one(measures[name], counts[name], seconds))
    return taken


def _warm_up(measure: Measure, seconds: float) -> int:
    """How many units take about so long; what is only slow at first is over by then."""
    count, taken = 1, 0.0
    while taken < seconds:
        done, taken = measure(count)
        count = 2 * done
    return max(1, math.ceil(done * seconds / taken))


def _one(measure: Measure, count: int, seconds: float) -> float:
    """Seconds a unit, over at least `seconds`."""
    units, total = 0, 0.0
    while total < seconds:
        done, taken = measure(count)
        units, total = units + done, total + taken
    return total / units

"""Measurements that survive a noisy machine: everybody is measured in turn, A B C ... C B A, and compared within a round.

    measure(count) -> Sample           does at least `count` units of work; says how many, how long it took, and its own processor time
    interleaved(measures, ...) -> {name: [Measured, one a round]}

Neighbours on a shared machine, and a clock that follows the temperature, change the speed of everything by half or more from one second to
the next. What is measured in the same round suffers from them alike, so ratios.py compares there and nowhere else. A round measures each
one for at least `seconds`; every second round runs backwards, so that nobody always follows the same neighbour.

That is not enough where a library shares its work over all cores: a single busy process beside it can cost it a factor of twenty, and its
neighbour in the round nothing. So a measurement waits for a quiet moment, and is made again if it was disturbed, as long as the plan's
patience lasts.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

PARTS = 4  # a measurement is about so many calls: few enough to cost nothing, enough not to overshoot
QUIET = 0.1  # others may use a tenth of a core
WINDOW = 0.1  # seconds that a look at them lasts, and that the threads of the one measured before have to fall asleep
STAT, TICK = Path("/proc/stat"), 0.01  # Linux counts processor time in hundredths of a second


class Sample(NamedTuple):
    """A call of a measure."""

    done: int
    seconds: float
    processor_seconds: float


class Measured(NamedTuple):
    """One measurement: seconds a unit of work, and how much of our cores others used meanwhile (1: one whole core; 0 where unknown)."""

    seconds: float
    others: float


Measure: TypeAlias = Callable[[int], Sample]


@dataclass
class Plan:
    """So many rounds; a measurement lasts at least `seconds`; `patience` seconds in all for waiting and for measuring again."""

    rounds: int
    seconds: float
    patience: float

    def wait(self) -> None:
        """For a look at the others, and then until they are quiet or patience is at an end."""
        while True:
            busy, started = busy_seconds(), time.perf_counter()
            time.sleep(WINDOW)
            taken = time.perf_counter() - started
            if quiet(busy_seconds() - busy, taken) or self.patience <= 0:
                return
            self.patience -= taken

    def accepts(self, measured: Measured, taken: float) -> bool:
        """Whether a measurement stands; if not, what it took is gone."""
        if quiet(measured.others * taken, taken) or self.patience <= 0:
            return True
        self.patience -= taken
        return False


def quiet(others: float, taken: float) -> bool:
    """Whether so much processor time of others is little, the clock's two ticks of error allowed for."""
    return others <= QUIET * taken + 2 * TICK


def busy_seconds() -> float:
    """Processor time that all processes have used so far on the cores that this one may use, as far as the system says.

    With what the host of a virtual machine took of them for others, where it says so.
    """
    if not STAT.is_file():
        return 0.0
    ours, ticks = {f"cpu{core}" for core in os.sched_getaffinity(0)}, 0
    for line in STAT.read_text().splitlines():
        name, *counts = line.split()
        if name in ours:
            user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen, *_ = map(int, counts)
            ticks += user + nice + system + interrupts + soft_interrupts + stolen
    return ticks * TICK


def interleaved(measures: Mapping[str, Measure], plan: Plan) -> dict[str, list[Measured]]:
    """A measurement of everyone in every round."""
    names = list(measures)
    counts = {name: _warm_up(measure, plan.seconds / PARTS) for name, measure in measures.items()}
    taken: dict[str, list[Measured]] = {name: [] for name in measures}
    for number in range(plan.rounds):
        for name in names if number % 2 == 0 else names[::-1]:
            taken[name].append(_patiently(measures[name], counts[name], plan))
    return taken


def _warm_up(measure: Measure, seconds: float) -> int:
    """How many units take about so long; what is only slow at first is over by then."""
    count, sample = 1, Sample(1, 0.0, 0.0)
    while sample.seconds < seconds:
        sample = measure(count)
        count = 2 * sample.done
    return max(1, math.ceil(sample.done * seconds / sample.seconds))


def _patiently(measure: Measure, count: int, plan: Plan) -> Measured:
    while True:
        plan.wait()
        started = time.perf_counter()
        measured = _one(measure, count, plan.seconds)
        if plan.accepts(measured, time.perf_counter() - started):
            return measured


def _one(measure: Measure, count: int, seconds: float) -> Measured:
    """Over at least `seconds`."""
    units, total, own, busy = 0, 0.0, 0.0, busy_seconds()
    while total < seconds:
        sample = measure(count)
        units, total, own = units + sample.done, total + sample.seconds, own + sample.processor_seconds
    return Measured(total / units, max(0.0, busy_seconds() - busy - own) / total)

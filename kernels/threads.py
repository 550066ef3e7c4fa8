"""Threads of our own for work on all pairs of many points: each takes every T-th part, with the interpreter lock released.

    threads_for(work) -> T            1 below SMALL units of work: starting a thread costs about 0.1 ms
    share(T, part)                    part(0), ..., part(T - 1) side by side; returns when all are done

How many: NUMBA_NUM_THREADS, or as many as the processors that this process may use at the moment; at most OMP_NUM_THREADS. A result does
not depend on their number: parts are counted in whole numbers, or stored part by part and summed in one order.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

SMALL = 4_000_000  # multiply-adds: about a millisecond


def available() -> int:
    """The threads that may be used."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = _asked("NUMBA_NUM_THREADS") or processors
    return min(_asked("OMP_NUM_THREADS") or most, most)


def _asked(variable: str) -> int:
    """The first number that an environment variable holds; 0 where it says none."""
    first = os.environ.get(variable, "").split(",")[0].strip()
    return int(first) if first.isdecimal() else 0


def threads_for(work: float) -> int:
    """The threads worth starting for so many multiply-adds."""
    return available() if work > SMALL else 1


def share(count: int, part: Callable[[int], None]) -> None:
    """Call part(0) here and the others in threads of their own; the first error of any is raised again."""
    errors: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            part(number)
        except BaseException as error:  # carried to the caller's thread
            errors.append(error)

    others = [threading.Thread(target=guarded, args=(number,)) for number in range(1, count)]
    for thread in others:
        thread.start()
    guarded(0)
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]

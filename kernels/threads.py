"""Threads of our own for work on all pairs of many points, with the interpreter lock released.

    threads_for(work) -> T            1 below SMALL units of work: starting a thread costs about 0.1 ms
    parts_for(T) -> P                 into how many parts the work of T threads is cut: whoever has done one takes the next that is left
    share(T, part, P=T)               part(0), ..., part(P - 1) by T threads; returns when all are done

How many: NUMBA_NUM_THREADS, or as many as the processors that this process may use at the moment; at most OMP_NUM_THREADS. A result does
not depend on their number: parts are counted in whole numbers, or stored part by part and summed in one order.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

SMALL = 16_000_000  # multiply-adds: about a millisecond
PARTS, ENOUGH = 4, 32  # for each thread, as long as there are not so many: each part has scratch of its own


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


def parts_for(threads: int) -> int:
    """More parts than threads, so that one whose processor has other work too does less of ours."""
    return 1 if threads == 1 else max(threads, min(PARTS * threads, ENOUGH))


def share(threads: int, part: Callable[[int], None], parts: int | None = None) -> None:
    """Call part(0), ..., part(parts - 1), here and in threads - 1 others; the first error of any is raised again."""
    numbers, taking = iter(range(threads if parts is None else parts)), threading.Lock()
    errors: list[BaseException] = []

    def work() -> None:
        while not errors:
            with taking:
                number = next(numbers, None)
            if number is None:
                return
            try:
                part(number)
            except BaseException as error:  # carried to the caller's thread
                errors.append(error)

    others = [threading.Thread(target=work) for _ in range(threads - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]

"""The threads of a compiled step: the caller's, and workers that sleep between its calls.

count(work)            how many: as many as kernels/threads.py allows, and as the work is worth
Crew(n).run(part, m)   part(0) here and part(1) .. part(m - 1) in workers, at the same time, m <= n; their results
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from npae.kernels.threads import available

MOST = 8
WORTH = 4e6  # multiplications in a step that one thread more has to take over


def count(work: float) -> int:
    """Threads for a step of so many multiplications."""
    return max(1, min(available(), MOST, int(work / WORTH)))


class Crew:
    """At most n threads, one of them the caller's."""

    def __init__(self, n: int) -> None:
        self.n = n
        self._process = os.getpid()
        self._workers: ThreadPoolExecutor | None = None

    def run(self, part: Callable[[int], Any], threads: int) -> list[Any]:
        """part(k) for every k below `threads`, all at the same time."""
        if threads == 1:
            return [part(0)]
        if self._workers is None or self._process != os.getpid():  # threads do not live on in a forked process
            self._process, self._workers = os.getpid(), ThreadPoolExecutor(self.n - 1, "npae-step")
        others = [self._workers.submit(part, k) for k in range(1, threads)]
        return [part(0), *(other.result() for other in others)]

"""How many threads the next call of steps takes: all of them, or one, whichever has been quicker of late.

Where another program keeps a core busy, threads wait for the one of them that has no core, and one thread alone may be twice as quick. The
numbers are the same on any number of threads, so they may change at any time. Both are tried at the start; then what was slower is tried
again every RETRY calls, unless all threads together are quicker, and as quick as ever.
"""

from __future__ import annotations

SLOWER = 1.3  # times the best pace so far
RETRY = 10  # calls


class Pace:
    """Seconds a step takes, by the number of threads."""

    def __init__(self, most: int) -> None:
        self.most, self.best, self.waited = most, float("inf"), 0
        self.seconds: dict[int, float] = {}

    def threads(self) -> int:
        """For the next call."""
        if self.most == 1 or self.most not in self.seconds:
            return self.most
        if 1 not in self.seconds:
            return 1
        quick, other = sorted((1, self.most), key=lambda threads: self.seconds[threads])
        if quick == self.most and self.seconds[quick] <= SLOWER * self.best:
            return quick
        self.waited += 1
        return other if self.waited % RETRY == 0 else quick

    def note(self, threads: int, seconds: float) -> None:
        """A call has taken so many seconds a step."""
        self.seconds[threads] = seconds
        if threads == self.most:
            self.best = min(self.best, seconds)

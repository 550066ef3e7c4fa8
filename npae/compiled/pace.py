"""How many threads the next few steps take: all of them, or one, whichever has been quicker of late; and how many steps those are.

Where another program keeps a core busy, threads wait for the one of them that has no core, and one thread alone may be twice as quick. The
numbers are the same on any number of threads, so they may change at any time. Both are tried at the start; then what was slower is tried
again for a few steps, unless all threads together are quicker, and as quick as ever: after one spell, two, four, ..., and then every RETRY.
So a neighbour that stays costs little, and one that has gone is noticed at once. A moment's disturbance decides nothing: what counts is the
quickest of the last REMEMBERED times.
"""

from __future__ import annotations

import sys
from collections import deque

SLOWER = 1.3  # times the best pace so far
RETRY = 16  # spells
REMEMBERED = 3
SPELL = 0.05  # seconds between two decisions
TIMED = 8  # steps that say how long one takes


class Pace:
    """Seconds a step takes, by the number of threads."""

    def __init__(self, most: int) -> None:
        self.most, self.best = most, float("inf")
        self.waited, self.patience, self.trying = 0, 1, False
        self.taken: dict[int, deque[float]] = {}

    def seconds(self, threads: int) -> float:
        """Of a step on so many."""
        return min(self.taken[threads])

    def threads(self) -> int:
        """For the next steps."""
        self.trying = False
        if self.most == 1 or self.most not in self.taken:
            return self.most
        if 1 not in self.taken:
            return 1
        quick, other = sorted((1, self.most), key=self.seconds)
        if quick == self.most and self.seconds(quick) <= SLOWER * self.best:
            self.waited, self.patience = 0, 1
            return quick
        self.trying = self.waited == self.patience
        if not self.trying:
            self.waited += 1
            return quick
        self.waited, self.patience = 0, min(2 * self.patience, RETRY)
        return other

    def steps(self, threads: int) -> int:
        """How many of them fill a spell, or say enough; at least one. Where there is nothing to decide, as many as there are."""
        if self.most == 1:
            return sys.maxsize
        if threads not in self.taken:
            return TIMED
        fill = max(1, int(SPELL / self.seconds(threads)))
        return min(fill, TIMED) if self.trying else fill

    def note(self, threads: int, seconds: float) -> None:
        """A step has taken so long."""
        self.taken.setdefault(threads, deque(maxlen=REMEMBERED)).append(seconds)
        if threads == self.most:
            self.best = min(self.best, seconds)

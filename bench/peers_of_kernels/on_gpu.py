"""A form that computes on a GPU: what is launched, how its result is read, and whose clock it is timed by.

    form(problem) -> OnGpu
        .call()            launches everything; what it gives stays on the device, and nothing is read back
        .read(given)       that as the forms of a CPU give it: (value, distances, dz), or the array's first rows
        .clock.seconds(work) -> float             how long the device takes for what `work` launches
        .clock.extra(call) -> (given, bytes)      memory that a first call takes beyond the inputs; None where nobody can say

Inputs lie on the device before a call. The clock is the library's own: events between which it launches, or the end of the last call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Clock(Protocol):
    """Of one library."""

    def seconds(self, work: Callable[[], object]) -> float:
        """Until the device is done."""

    def extra(self, call: Callable[[], Any]) -> tuple[Any, int | None]:
        """What the call gives, and its memory."""


@dataclass(frozen=True)
class OnGpu:
    """One contender with its problem."""

    call: Callable[[], Any]
    read: Callable[[Any], Any]
    clock: Clock

"""Ctrl-C and SIGTERM that wait for the end of a training step, so that the state that is saved is that of a whole number of steps.

The first of them is noted, and raised as KeyboardInterrupt at the next `check()`; a second one before that is raised at once.
Both end alike: the training is saved, and the exit status is 130 whoever asked for the end, so that a script has one number to look for.
Outside the main thread signals cannot be caught, and nothing changes.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def deferred_interrupts() -> Iterator[Callable[[], None]]:
    """`check`, to be called between steps."""
    noted = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if noted.is_set():
            raise KeyboardInterrupt
        noted.set()

    def check() -> None:
        if noted.is_set():
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""A stream of one's own with memory of one's own: where launches are recorded once and then replayed, some beside others.

    lane = current().lane()
    with lane:                          launches and allocations inside belong to the lane
        launches()                      compiles, allocates, warms up
        replay = lane.record(launches)  the same launches as a CUDA graph; recording runs none of them
        replay()                        all of them, as one launch
    lane.wait()                         until everything in the lane is done

A graph holds addresses. What the launches allocate on their way comes from the lane's pool, which lives as long as the graph and serves
nobody else; so no later array can come to lie where a replay still writes. CuPy refuses cuBLAS, cuRAND, cuSOLVER and cuSPARSE while it
records; so does CUDA reading a number back and taking new memory from the driver, which is why the launches must have run once before.

Launches follow one another. A small kernel takes a microsecond or two to begin and end, so what nobody needs yet goes beside the others:

    with beside("terms"):               after what was launched here and after what is on that line already, and beside what follows
        launch()
    join("terms")                       what follows here comes after that line; join() is after every line
    settle("terms")                     the same, unless this is on a line itself

Each line is a stream; in a graph they become edges. Outside of a lane both do nothing: all is launched in turn. A line has memory of its
own in the pool, so what a launch allocates must be asked for on its line; and nothing frees memory that another line may still read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Self

from npae.kernels.cuda.recording import Recording

_entered: ContextVar[Lane | None] = ContextVar("entered", default=None)  # of this thread


class Lane:
    """CuPy's: streams that do not wait for the default one, and a memory pool."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.stream, self.pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
        self.event = cupy.cuda.Event(disable_timing=True)  # one is enough: a wait is for what it marks at that moment
        self.lines: dict[str, Any] = {}
        self.under_way: set[str] = set()  # lines with launches that nobody has joined
        self.side_by_side = True  # if not, lines are launched in turn as well: to measure what they gain
        self._inside = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.cupy.cuda.Stream.null.synchronize()  # what the rest of the program has launched is what the lane starts from
        self._inside.enter_context(self.stream)
        self._inside.enter_context(self.cupy.cuda.using_allocator(self.pool.malloc))
        self._inside.enter_context(self.entered())
        return self

    def __exit__(self, *error: object) -> None:
        self._inside.close()
        self.wait()  # the rest of the program may now use what the lane has made

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Inside, beside and join are about this lane."""
        token = _entered.set(self)
        try:
            yield
        finally:
            _entered.reset(token)

    def record(self, launches: Callable[[], object]) -> Recording:
        """The launches as one graph."""
        self.wait()
        self.stream.begin_capture()
        try:
            launches()
        except BaseException:  # what went wrong is worth more than what CUDA says of a recording that was broken off
            with contextlib.suppress(Exception):
                self.join(set(self.under_way))
            with contextlib.suppress(Exception):
                self.stream.end_capture()
            raise
        return Recording(self.stream.end_capture())

    def wait(self) -> None:
        """Synchronise: the host waits for the lane."""
        for stream in (self.stream, *self.lines.values()):
            stream.synchronize()

    def allocated(self) -> int:
        """Bytes that the pool has taken from the driver."""
        return int(self.pool.total_bytes())

    @contextlib.contextmanager
    def beside(self, line: str) -> Iterator[None]:
        """Launches inside go to that line."""
        if not self.side_by_side:
            yield
            return
        stream = self.lines.get(line) or self.lines.setdefault(line, self.cupy.cuda.Stream(non_blocking=True))
        self._after(stream, self.cupy.cuda.get_current_stream())
        self.under_way.add(line)
        with stream:
            yield

    def join(self, lines: set[str]) -> None:
        """What is launched here from now on comes after these lines."""
        here = self.cupy.cuda.get_current_stream()
        for line in sorted(lines & self.under_way):
            if self.lines[line] != here:
                self._after(here, self.lines[line])
        if self.is_main():
            self.under_way -= lines

    def is_main(self) -> bool:
        """Launches go to no line."""
        return bool(self.cupy.cuda.get_current_stream() == self.stream)

    def _after(self, later: Any, earlier: Any) -> None:
        """What is launched in one stream from now on waits for what the other has now."""
        self.event.record(earlier)
        later.wait_event(self.event)


def beside(line: str) -> contextlib.AbstractContextManager[None]:
    """Launches inside go to that line of the lane that is entered; without one they are launched in turn."""
    lane = _entered.get()
    return lane.beside(line) if lane else contextlib.nullcontext()


def join(*lines: str) -> None:
    """What is launched here from now on comes after those lines, or without names after all of them."""
    if lane := _entered.get():
        lane.join(set(lines) or set(lane.under_way))


def settle(*lines: str) -> None:
    """join(*lines), unless launches go to a line: who puts them there sees to it what they come after."""
    if (lane := _entered.get()) and lane.is_main():
        lane.join(set(lines))

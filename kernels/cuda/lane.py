"""A stream of one's own with memory of one's own: where launches are recorded once and then replayed.

    lane = current().lane()
    with lane:                          launches and allocations inside belong to the lane
        launches()                      compiles, allocates, warms up
        replay = lane.record(launches)  the same launches as a CUDA graph; recording runs none of them
        replay()                        all of them, as one launch
    lane.wait()                         until everything in the lane is done

A graph holds addresses. What the launches allocate on their way comes from the lane's pool, which lives as long as the graph and serves
nobody else; so no later array can come to lie where a replay still writes. CuPy refuses cuBLAS, cuRAND, cuSOLVER and cuSPARSE while it
records; so does CUDA reading a number back and taking new memory from the driver, which is why the launches must have run once before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Self


class Lane:
    """CuPy's: a stream that does not wait for the default one, and a memory pool."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self.stream, self.pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
        self._entered = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.cupy.cuda.Stream.null.synchronize()  # what the rest of the program has launched is what the lane starts from
        self._entered.enter_context(self.stream)
        self._entered.enter_context(self.cupy.cuda.using_allocator(self.pool.malloc))
        return self

    def __exit__(self, *error: object) -> None:
        self._entered.close()
        self.wait()  # the rest of the program may now use what the lane has made

    def record(self, launches: Callable[[], object]) -> Callable[[], None]:
        """The launches as one graph."""
        self.wait()
        self.stream.begin_capture()
        try:
            launches()
        finally:
            graph = self.stream.end_capture()
        replay: Callable[[], None] = graph.launch
        return replay

    def wait(self) -> None:
        """Synchronise: the host waits for the lane."""
        self.stream.synchronize()

    def allocated(self) -> int:
        """Bytes that the pool has taken from the driver."""
        return int(self.pool.total_bytes())

"""One contender's process on a GPU.        python -m bench.peers_of_kernels.device_worker FOLDER FORM

The questions are those of worker.py; seconds are the device's, and memory is the device's too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.peers_of_kernels.on_gpu import OnGpu
from bench.peers_of_kernels.worker import FEW, PairsWorker
from bench.workers import serve


class DevicePairsWorker(PairsWorker):
    """What is launched is one thing, what is read another."""

    prepare: Callable[[Any], OnGpu]

    def start(self) -> None:
        """With few points."""
        small = self.prepare(self.problem.head(FEW))
        small.read(small.call())

    def first_call(self) -> dict[str, float | None]:
        """With all: for its memory, then for its time."""
        started = time.perf_counter()
        self.form = self.prepare(self.problem)
        prepared = time.perf_counter() - started
        given, extra = self.form.clock.extra(self.form.call)
        self.given = self.form.read(given)
        return {"seconds": self.form.clock.seconds(self.form.call), "prepared_seconds": prepared, "extra_bytes": extra}

    def calls(self, count: int) -> dict[str, float]:
        """So many, one launched after the other; nothing is read between them."""
        own = time.process_time()

        def work() -> object:
            given = None
            for _ in range(count):
                given = self.form.call()
            return given

        return {"seconds": self.form.clock.seconds(work), "processor_seconds": time.process_time() - own}


if __name__ == "__main__":
    serve(DevicePairsWorker)

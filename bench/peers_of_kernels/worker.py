"""One contender's process.        python -m bench.peers_of_kernels.worker FOLDER FORM

It reads the problem in FOLDER and answers (see bench/workers.py):

    start()        a call with the first FEW points: what is slow only once is over then
    first_call()   -> {"seconds", "prepared_seconds", "extra_bytes"}     the problem is compiled for, then called once
    result()       -> the file with what that call returned
    calls(count)   -> {"seconds", "processor_seconds"}
    about()        -> {"blas"}

extra_bytes is the memory taken beyond the inputs: the highest resident memory of the process during the first call (VmHWM, set back
before) less its resident memory just before. None where the system has no /proc, or does not let it be set back.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import blas
from bench.peers_of_kernels.problem import read
from bench.peers_of_kernels.truth import ROWS
from bench.workers import serve

FEW = 256  # more pairs than any kernel of ours treats as few
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _memory(field: str) -> int:
    return 1024 * next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))


def _measured(call: Callable[[], Any]) -> tuple[Any, float, int | None]:
    """Its result, seconds, and extra bytes."""
    try:
        CLEAR.write_text("5")  # Linux: VmHWM begins again
        before = _memory("VmRSS")
    except OSError:
        before = None
    started = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - started
    return result, seconds, None if before is None else max(_memory("VmHWM") - before, 0)


class PairsWorker:
    """The form, its problem, and what it gave."""

    def __init__(self) -> None:
        self.folder = Path(sys.argv[1])
        module, function = sys.argv[2].split(":")
        self.name = f"{module}-{function}"
        self.prepare: Callable[[Any], Any] = getattr(importlib.import_module(module), function)
        self.problem = read(self.folder)

    def start(self) -> None:
        """With few points."""
        self.prepare(self.problem.head(FEW))()

    def first_call(self) -> dict[str, float | None]:
        """With all."""
        started = time.perf_counter()
        self.call = self.prepare(self.problem)
        prepared = time.perf_counter() - started
        self.given, seconds, extra = _measured(self.call)
        return {"seconds": seconds, "prepared_seconds": prepared, "extra_bytes": extra}

    def result(self) -> str:
        """Written as float64."""
        path = self.folder / f"{self.name}.npz"
        if isinstance(self.given, tuple):
            value, distances, dz = self.given
            np.savez(path, value=value, distances=distances, dz=np.asarray(dz, np.float64))
        else:
            np.savez(path, d2=np.asarray(self.given[:ROWS], np.float64))
        return str(path)

    def calls(self, count: int) -> dict[str, float]:
        """So many."""
        own, started = time.process_time(), time.perf_counter()
        for _ in range(count):
            self.call()
        return {"seconds": time.perf_counter() - started, "processor_seconds": time.process_time() - own}

    def about(self) -> dict[str, str]:
        """What it stands on."""
        return {"blas": blas()}


if __name__ == "__main__":
    serve(PairsWorker)

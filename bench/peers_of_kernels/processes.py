"""The contenders' processes, from the side that asks: started, given a limit, told why one does not take part.

started(...)          a worker, and its first answers; NotRun says why there are none
ask_within(...)       an answer within so many seconds
available_memory()    bytes
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import WorkerError
from bench.gpu.device import the_gpu
from bench.interleave import Measure, Sample
from bench.machine import installed
from bench.peers_of_kernels.contenders import OWN, OWN_ON_GPU, Contender
from bench.peers_of_kernels.problem import Size
from bench.workers import Worker

MEMINFO = Path("/proc/meminfo")


class NotRun(Exception):
    """Why a contender does not take part; its row says so."""


def available_memory() -> int:
    """What a new process may take without pushing others out."""
    if MEMINFO.is_file():
        return 1024 * next(int(line.split()[1]) for line in MEMINFO.read_text().splitlines() if line.startswith("MemAvailable"))
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def check(contender: Contender, size: Size, itemsize: int) -> None:
    """NotRun where a package is not installed, or the arrays are too large for this machine."""
    missing = [package for package in contender.packages if not installed(package)]
    if missing:
        raise NotRun(f"absent: pip install {' '.join(missing)}")
    if why := contender.no_gpu():
        raise NotRun(f"absent: {why}")
    needs, available = contender.needs(size, itemsize), the_gpu().free_bytes() if contender.on_gpu else available_memory()
    if needs > available:
        raise NotRun(f"would need {needs / 1e9:.0f} GB of arrays, {available / 1e9:.0f} GB are available")


def ask_within(worker: Worker, limit: float, question: str) -> Any:
    """Its answer; NotRun, and the worker is ended, where there is none in time."""
    late = threading.Event()

    def end() -> None:
        late.set()
        worker.process.kill()

    timer = threading.Timer(limit, end)
    timer.start()
    try:
        return worker.ask(question)
    except WorkerError as error:
        if late.is_set():
            raise NotRun(f"not done within {limit:g} s (--limit)") from None
        if worker.name in (OWN, OWN_ON_GPU):
            raise
        raise NotRun(str(error)) from None
    finally:
        timer.cancel()


def command(contender: Contender, folder: Path) -> list[str]:
    """How its worker is started."""
    module = "device_worker" if contender.on_gpu else "worker"
    return [sys.executable, "-m", f"bench.peers_of_kernels.{module}", str(folder), contender.form]


def first_start(name: str, contender: Contender, folder: Path, variables: Mapping[str, str], limit: float) -> float:
    """Seconds from nothing to the end of a call with few points, nothing compiled yet as far as the variables' folders say."""
    with Worker(name, command(contender, folder), folder=folder, variables=variables) as worker:
        ask_within(worker, limit, "start")
        return round(worker.age(), 3)


def measure_of(worker: Worker) -> Measure:
    """Its calls, as interleave.py wants them."""

    def measure(count: int) -> Sample:
        answer = worker.ask("calls", count=count)
        return Sample(count, answer["seconds"], answer["processor_seconds"])

    return measure

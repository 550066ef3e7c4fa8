"""One process from its start to its end: seconds, processor time, memory, and what it said.

    finished = run(command, variables, folder)

Raises WorkerError, with the end of what it said, where it does not end well.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.errors import WorkerError
from bench.workers import ROOT


class Finished(NamedTuple):
    """Times in seconds; the most memory that it held, in bytes; standard output and error together."""

    seconds: float
    processor_seconds: float
    peak_bytes: int
    said: str


def run(command: Sequence[str], variables: Mapping[str, str], folder: Path) -> Finished:
    """Start it, wait for its end."""
    log = folder / "said.txt"
    with log.open("wb") as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, env={**os.environ, **variables}, cwd=ROOT
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    if process.returncode:
        raise WorkerError(f"{' '.join(command)} ended with status {process.returncode}: {' / '.join(text.strip().splitlines()[-3:])}")
    return Finished(seconds, usage.ru_utime + usage.ru_stime, 1024 * usage.ru_maxrss, text)

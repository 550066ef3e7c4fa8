"""What every peer's worker is: the problem, the next batches' rows, and the three questions it answers (see workers.py).

steps(count) -> {"steps", "seconds", "processor_seconds", "loss"}     at least `count` steps, each on the next shuffled batch, fresh noise
agree() -> {"terms", "later"}              the problem's batches, from the problem's parameters, with the problem's noise
about() -> {"blas", "peak_bytes"}          the matrix library, and the memory it has taken so far
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import blas, peak_memory
from bench.problem import read
from npae.backend import Array


class Clock:
    """Runs from its making."""

    def __init__(self) -> None:
        self.own, self.started = time.process_time(), time.perf_counter()

    def stop(self, steps: int, total_loss: float) -> dict[str, float]:
        """What `steps` answers."""
        seconds = time.perf_counter() - self.started
        return {"steps": steps, "seconds": seconds, "processor_seconds": time.process_time() - self.own, "loss": total_loss / steps}


class Peer:
    """Reads FOLDER and MODEL from the command line."""

    def __init__(self) -> None:
        self.problem = read(Path(sys.argv[1]), sys.argv[2])
        self.model = sys.argv[2]
        self.rows = self.problem.x.shape[1]
        self.endless = self._batches()

    def _batches(self) -> Iterator[Array]:
        """The row numbers of one batch after the other, epoch after epoch."""
        order = self.problem.order
        while True:
            for place in range(0, len(order) - self.rows + 1, self.rows):
                yield order[place : place + self.rows]

    def given_noise(self) -> dict[str, Array]:
        """The problem's noise; of a dropout what the layer's output is multiplied by: 1 / (1 - rate) where u >= rate, 0 elsewhere."""
        noise = dict(self.problem.noise)
        for name, (_, rate) in self.problem.network.rates_of_dropout.items():
            noise[name] = (noise[name] >= rate).astype(self.problem.dtype) / np.dtype(self.problem.dtype).type(1 - rate)
        return noise

    def library(self) -> str:
        """The matrix library, where the process does not show it."""
        return ""

    def about(self) -> dict[str, Any]:
        """What it stands on, and its memory."""
        return {"blas": ", ".join(filter(None, (self.library(), blas()))), "peak_bytes": peak_memory()}

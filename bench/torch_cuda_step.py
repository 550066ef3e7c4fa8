"""PyTorch's training step on a GPU as a worker: eager, fused Adam.        python -m bench.torch_cuda_step FOLDER MODEL

torch_step.py's step, with data, order and state on the device: no step copies anything from the host, and the loss is read once a call.
Products are float32 throughout, as npae's are: `torch.backends.cuda.matmul.allow_tf32` stays off, its default.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from bench.torch_step import TorchStep
from bench.workers import serve


class DeviceClock:
    """Runs from its making, by the device's own clock."""

    def __init__(self) -> None:
        self.own = time.process_time()
        self.first, self.last = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        self.first.record()

    def stop(self, steps: int, total: Tensor) -> dict[str, float]:
        """What `steps` answers; waits for the device."""
        self.last.record()
        self.last.synchronize()
        seconds = 1e-3 * self.first.elapsed_time(self.last)
        return {"steps": steps, "seconds": seconds, "processor_seconds": time.process_time() - self.own, "loss": float(total) / steps}


class TorchCudaStep(TorchStep):
    """Everything on the device."""

    device = "cuda"

    def batches(self) -> Iterator[Tensor]:
        """The row numbers of one batch after the other, views of the order."""
        whole = self.order[: len(self.order) // self.rows * self.rows].view(-1, self.rows)
        return itertools.cycle(whole.unbind())

    def steps(self, count: int) -> dict[str, float]:
        """The loss is read once, at the end."""
        coming, total, clock = self.batches(), torch.zeros((), dtype=self.x.dtype, device=self.device), DeviceClock()
        for rows in itertools.islice(coming, count):
            total += self.step(self.x[rows], self.draw())[1]
        return clock.stop(count, total)

    def library(self) -> str:
        """It is built in."""
        return f"cuBLAS of CUDA {torch.version.cuda} inside torch"

    def about(self) -> dict[str, Any]:
        """With what the device holds, the data included."""
        return super().about() | {"device_bytes": torch.cuda.max_memory_allocated()}


if __name__ == "__main__":
    serve(TorchCudaStep)

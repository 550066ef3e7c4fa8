"""A GPU for the bench where there is none: npae's CUDA kernels on the CPU (tests/cuda/strict.py), an ordinary clock, rates out of the air.

install()                   for good, in a process of its own
python fake_gpu.py MODULE [WORD ...]        that worker of the bench, on it
"""

from __future__ import annotations

import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cuda"))

from strict import StrictDevice as StrictDevice

from bench.gpu import device as on_gpu
from npae.kernels.cuda import device as cuda

ABOUT = {
    "name": "NVIDIA H100 80GB HBM3",
    "compute_capability": "9.0",
    "multiprocessors": 132,
    "memory_bytes": 85_000_000_000,
    "cache_bytes": 50_000_000,
    "driver": "550.54.15",
    "cuda_of_driver": "12.4",
    "cuda_runtime": "12.9",
    "nvrtc": "12.9",
    "cupy": "14.2.0",
}


class FakeGpu(on_gpu.Gpu):
    """Everything of device.py that CuPy would answer."""

    cache = 4000  # bytes

    def __init__(self) -> None:
        self.clock: Callable[[], float] = time.perf_counter

    def seconds(self, work: Callable[[], object]) -> float:
        started = self.clock()
        work()
        return self.clock() - started

    def cache_bytes(self) -> int:
        return self.cache

    def free_bytes(self) -> int:
        return 8_000_000_000

    def release(self) -> None:
        pass

    def copy(self, size: int) -> Callable[[], object]:
        return lambda: None

    def product(self) -> tuple[Callable[[], object], float]:
        return (lambda: None), 1e9

    def exponentials(self) -> tuple[Callable[[], object], float]:
        return (lambda: None), 1e9

    def launch(self) -> Callable[[], object]:
        return lambda: None

    def upload(self, size: int, *, pinned: bool) -> Callable[[], object]:
        return lambda: None

    def about(self) -> dict[str, Any]:
        return dict(ABOUT)


def install() -> None:
    """Both devices."""
    cuda._chosen.append(StrictDevice())
    vars(on_gpu)["Gpu"] = FakeGpu
    on_gpu.the_gpu.cache_clear()


if __name__ == "__main__":
    install()
    module, sys.argv[1:] = sys.argv[1], sys.argv[2:]
    runpy.run_module(module, run_name="__main__")

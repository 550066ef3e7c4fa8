"""A GPU as the bench sees it: a clock, the bare operations that rates are measured with, and what it is.

    gpu = the_gpu()
    gpu.seconds(work) -> float               between two events in the current stream, around what `work` launches; waits for the second
    gpu.copy(bytes)() ... gpu.launch()()     what rates.py times; each call launches once and reads nothing back
    gpu.about() -> {...}                     name, driver, versions, multiprocessors, memory, cache

Nothing else of the bench calls CuPy, so this file alone has never run where there is no GPU. What to look at first where there is one:

    1. `python -m bench kernels --device cuda --kernels adam --rounds 3`: rates first. An H100 copies 2.4 to 3.0e12 bytes/s and multiplies
       4 to 6e13 FLOP/s in float32 (TF32 would show 2e14 and more: CUPY_TF32 must not be set); half of that is a wrong measurement and no
       slow card, and every ratio below it is wrong with it.
    2. `launched` beside `in a graph`: the difference is what CuPy's launcher costs the host, 5 to 30 us a call.
    3. `step --device cuda --models flux-ae --backends captured,eager --peers none`, then one peer after the other.

Raises InputError, by npae.kernels.cuda.device, where there is no CuPy or no GPU.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from npae.kernels.cuda.device import current

SOURCE = Path(__file__).with_name("rates.cu")
DRIVER = Path("/proc/driver/nvidia/version")
SIDE = 8192  # of the large product: 1.1 TFLOP, 20 ms
THREADS, BLOCKS_EACH, SWEEPS = 256, 32, 4096  # of the exponentials: blocks for each multiprocessor, and how long a thread goes on
CHAINS = 4  # that a thread takes side by side in rates.cu

Work: TypeAlias = Callable[[], object]


class Gpu:
    """CuPy's current device."""

    def __init__(self) -> None:
        self.cupy: Any = current().xp
        self.properties: dict[str, Any] = self.cupy.cuda.runtime.getDeviceProperties(self.cupy.cuda.runtime.getDevice())
        self._module = functools.cache(lambda: self.cupy.RawModule(code=SOURCE.read_text()))

    def seconds(self, work: Work) -> float:
        """How long the device takes for what `work` launches in the current stream, waiting for the host included."""
        first, last = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        first.record()
        work()
        last.record()
        last.synchronize()
        return 1e-3 * float(self.cupy.cuda.get_elapsed_time(first, last))

    def cache_bytes(self) -> int:
        """Of the second-level cache."""
        return int(self.properties["l2CacheSize"])

    def free_bytes(self) -> int:
        """Memory that nobody has taken."""
        return int(self.cupy.cuda.runtime.memGetInfo()[0])

    def release(self) -> None:
        """Give back the memory that nobody uses any more, for other processes."""
        self.cupy.get_default_memory_pool().free_all_blocks()

    def copy(self, size: int) -> Work:
        """So many bytes from one place of its memory to another."""
        a, b = self.cupy.zeros(size, "uint8"), self.cupy.zeros(size, "uint8")
        return lambda: b.data.copy_from_device_async(a.data, size)

    def product(self) -> tuple[Work, float]:
        """A large product in float32 by cuBLAS, and its FLOPs."""
        a, b, c = (self.cupy.random.random((SIDE, SIDE), dtype="float32") for _ in range(3))
        return lambda: self.cupy.matmul(a, b, out=c), 2.0 * SIDE**3

    def exponentials(self) -> tuple[Work, float]:
        """Exponentials of numbers in registers, and how many."""
        blocks = BLOCKS_EACH * int(self.properties["multiProcessorCount"])
        out, function = self.cupy.zeros(blocks * THREADS, "float32"), self._module().get_function("exponentials")
        return lambda: function((blocks,), (THREADS,), (out, np.int32(SWEEPS))), float(blocks * THREADS * SWEEPS * CHAINS)

    def launch(self) -> Work:
        """A kernel that does nothing."""
        function = self._module().get_function("nothing")
        return lambda: function((1,), (32,), ())

    def upload(self, size: int, *, pinned: bool) -> Work:
        """So many bytes from the host's memory."""
        host = np.frombuffer(self.cupy.cuda.alloc_pinned_memory(size), np.uint8, size) if pinned else np.empty(size, np.uint8)
        host[...] = 0
        there = self.cupy.empty(size, "uint8")
        return lambda: there.set(host)

    def about(self) -> dict[str, Any]:
        """What it is, as JSON can hold it."""
        runtime, nvrtc = self.cupy.cuda.runtime, self.cupy.cuda.nvrtc
        return {
            "name": self.properties["name"].decode(),
            "compute_capability": f"{self.properties['major']}.{self.properties['minor']}",
            "multiprocessors": int(self.properties["multiProcessorCount"]),
            "memory_bytes": int(self.properties["totalGlobalMem"]),
            "cache_bytes": self.cache_bytes(),
            "driver": driver_version(),
            "cuda_of_driver": _version(runtime.driverGetVersion()),
            "cuda_runtime": _version(runtime.runtimeGetVersion()),
            "nvrtc": ".".join(map(str, nvrtc.getVersion())),
            "cupy": self.cupy.__version__,
        }


def driver_version() -> str | None:
    """As the kernel module says it, such as 550.54.15; None where it does not."""
    found = re.search(r"Kernel Module.*?\s(\d+\.[\d.]+)", DRIVER.read_text()) if DRIVER.is_file() else None
    return found[1] if found else None


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


@functools.cache
def the_gpu() -> Gpu:
    """The device of this process."""
    return Gpu()

"""The device that CUDA kernels run on, as their launchers see it.

    gpu = current()                                      CuPy's current device
    gpu.launch(source, kernel, real, grid, block, arguments, shared=0)
    gpu.scalar(value) -> (address, value)                for a kernel's pair of parameters `const double* at, double value`
    gpu.number() -> 0-d float64 array                    where a kernel leaves a number: it is not read back, so nothing waits
    gpu.sum_room(blocks) -> (partials, ticket)           what grid_sum of npae.cuh needs
    gpu.lane()                                           a stream and memory of one's own, where launches are recorded as a graph
    using(other)                                         another device, for a while: tests run the same sources on a CPU

Launches go to the current stream, one after another; the room of a sum is for the stream that was current when it was asked for.
Raises InputError where there is no CuPy or no GPU, TypeError for an array that is not C-contiguous or of another dtype than `real`.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from npae.errors import InputError
from npae.kernels.cuda.lane import Lane
from npae.kernels.cuda.source import OPTIONS, source
from npae.kernels.kernel import Array

NAMES = {"float32": "float", "float64": "double"}


class Device:
    """CuPy's current device."""

    def __init__(self) -> None:
        self.xp: ModuleType = _cupy()
        self._tickets: dict[int, Array] = {}

    def kernel(self, name: str, kernel: str, real: str) -> Any:
        """That function of that source, compiled for this device: called with (grid, block, arguments, shared_mem=)."""
        return _compiled(self.xp, name, real).get_function(kernel)

    def launch(
        self,
        name: str,
        kernel: str,
        real: Any,
        grid: int | tuple[int, ...],
        block: int | tuple[int, ...],
        arguments: Sequence[Any],
        shared: int = 0,
    ) -> None:
        """Run a kernel of a source, compiled for the dtype `real`: arrays go by address, whole numbers as 64 bits, floats as double."""
        function = self.kernel(name, kernel, NAMES[str(np.dtype(real))])
        grid, block = (grid,) if isinstance(grid, int) else grid, (block,) if isinstance(block, int) else block
        function(grid, block, tuple(self._argument(kernel, argument) for argument in arguments), shared_mem=shared)

    def scalar(self, value: Any) -> tuple[Any, np.float64]:
        """A float, or a float64 number on the device, as a kernel takes either."""
        if isinstance(value, self.xp.ndarray):
            return value, np.float64(0)
        return np.uint64(0), np.float64(value)

    def whole(self, value: Any) -> tuple[Any, np.int64]:
        """The same for a whole number, int64."""
        if isinstance(value, self.xp.ndarray):
            return value, np.int64(0)
        return np.uint64(0), np.int64(value)

    def number(self) -> Array:
        """Where a kernel leaves a number."""
        room: Array = self.xp.empty((), "float64")
        return room

    def address(self, array: Array) -> int:
        """Where the array lies."""
        return int(array.data.ptr)  # type: ignore[attr-defined]

    def empty(self, shape: int | tuple[int, ...], dtype: Any) -> Array:
        """Memory that nobody has written to."""
        room: Array = self.xp.empty(shape, dtype)
        return room

    def sum_room(self, blocks: int) -> tuple[Array, Array]:
        """Partial sums of the blocks, and the ticket that says which block is the last; sums on different lines must not share one."""
        stream = self.stream()
        if stream not in self._tickets:
            self._tickets[stream] = self.xp.zeros((), "uint32")
        return self.empty(blocks, "float64"), self._tickets[stream]

    def stream(self) -> int:
        """Which stream launches go to at present."""
        return int(self.xp.cuda.get_current_stream().ptr)

    def lane(self) -> Lane:
        """A stream and memory of one's own, where launches can be recorded."""
        return Lane(self.xp)

    def _argument(self, kernel: str, argument: Any) -> Any:
        if isinstance(argument, self.xp.ndarray):
            if not argument.flags.c_contiguous:
                raise TypeError(f"{kernel}: an array of shape {argument.shape} is not C-contiguous, and the kernel reads it by its address")
            return argument
        if isinstance(argument, bool | int):
            return np.int64(argument)
        return np.float64(argument) if isinstance(argument, float) else argument


def _cupy() -> ModuleType:
    """The cupy module, on a machine where it can compute; otherwise one line that says what is missing."""
    try:
        import cupy
    except ImportError:
        raise InputError("backend 'cupy': CuPy is not installed; pip install -e '.[gpu]', or use --backend numba") from None
    if not cupy.cuda.is_available():
        raise InputError("backend 'cupy': CuPy is installed but finds no CUDA GPU or driver; check nvidia-smi, or use --backend numba")
    module: ModuleType = cupy
    return module


@functools.cache
def _compiled(cupy: Any, name: str, real: str) -> Any:
    return cupy.RawModule(code=source(name), options=(*OPTIONS, f"-DREAL={real}"))


_chosen: list[Device] = []


def current() -> Device:
    """The device that launches go to."""
    if not _chosen:
        _chosen.append(Device())
    return _chosen[-1]


@contextlib.contextmanager
def using(other: Device) -> Iterator[Device]:
    """Launches go to that device for a while."""
    _chosen.append(other)
    try:
        yield other
    finally:
        _chosen.remove(other)

"""Every launch passes what its kernel takes, and every GPU can make it: registers, shared memory, blocks. Read off the compiled kernels."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from calls import CALLS, SOME
from nvrtc import ARCHITECTURES, Compiled, compiled
from shim import OnCpu

from npae.kernels.cuda.device import NAMES, using
from npae.kernels.cuda.source import OPTIONS, every_source, source
from npae.kernels.registry import resolve

pytestmark = pytest.mark.usefixtures("nvrtc")

REGISTERS, ROUNDED = 65536, 8  # of a block at most, and a thread's are rounded up to a multiple of 8
SHARED = 48 * 1024  # that a block gets without asking for more
THREADS, ACROSS, DOWN = 1024, 2**31 - 1, 65535  # of a block; blocks of a grid in x, and in y and z
WIDTHS = {"int64": "b64", "uint64": "b64", "uint32": "b32", "int32": "b32", "float64": "f64", "float32": "f32"}


class Launch(NamedTuple):
    """One launch, as it was asked for; nothing was run."""

    source: str
    kernel: str
    real: str
    grid: Sequence[int]
    block: Sequence[int]
    passed: tuple[str, ...]
    shared: int


class Recorder(OnCpu):
    """A device that writes down what would be launched, and how much memory is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.launches: list[Launch] = []
        self.bytes = 0

    def empty(self, shape: Any, dtype: Any) -> Any:
        """Memory, counted."""
        room = super().empty(shape, dtype)
        self.bytes += room.nbytes
        return room

    def kernel(self, name: str, kernel: str, real: str) -> Any:
        """Something that is called as a kernel is."""

        def call(grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any], *, shared_mem: int = 0) -> None:
            passed = tuple(_as_passed(argument) for argument in arguments)
            self.launches.append(Launch(name, kernel, real, grid, block, passed, shared_mem))

        return call


def _as_passed(argument: Any) -> str:
    if isinstance(argument, np.ndarray):
        return f"b8[{argument.nbytes}]" if argument.dtype.names else "b64"
    return WIDTHS[str(argument.dtype)]


@contextlib.contextmanager
def recorded() -> Iterator[Recorder]:
    """Launches are written down."""
    with using(device := Recorder()):
        yield device


@functools.cache
def launches() -> tuple[Launch, ...]:
    """Those of all calls at some sizes."""
    with recorded() as device:
        for call in CALLS.values():
            for size in SOME:
                for dtype in NAMES:
                    if size in call.sizes:
                        call.run(*call.arguments(device, size, dtype))
    return tuple(device.launches)


def made(name: str, real: str, architecture: int) -> Compiled:
    """The compiled source."""
    return compiled(source(name), name, architecture, *OPTIONS, f"-DREAL={real}")


def test_the_calls_launch_every_kernel_in_both_precisions() -> None:
    launched = {(launch.source, launch.kernel) for launch in launches()}
    assert launched == {(name, kernel) for name in every_source() for kernel in made(name, "float", 90).kernels}


def test_every_launch_passes_what_its_kernel_takes() -> None:
    for launch in set(launches()):
        takes = made(launch.source, launch.real, 90).parameters[launch.kernel]
        assert launch.passed == takes, f"{launch.kernel} takes {takes}"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_gpu_can_make_every_launch(architecture: int) -> None:
    for launch in launches():
        used = made(launch.source, launch.real, architecture).kernels[launch.kernel]
        threads = int(np.prod(launch.block))
        assert 0 < threads <= THREADS, launch
        assert -(-used.registers // ROUNDED) * ROUNDED * threads <= REGISTERS, (launch, used)
        assert used.shared + launch.shared <= SHARED, (launch, used)
        _is_a_grid(launch)


def _is_a_grid(launch: Launch) -> None:
    assert 0 < launch.grid[0] <= ACROSS, launch
    assert all(0 < blocks <= DOWN for blocks in launch.grid[1:]), launch


def test_sixty_thousand_points_take_few_launches_and_megabytes() -> None:
    """The order statistic and the penalty of 60,000 points of 8 features: n^2 distances would take 14 GB."""
    z, w = np.zeros((60_000, 8), "float32"), np.zeros((60_000, 8), "float32")
    with recorded() as device:
        resolve("distance_order_statistic", "gpu")(z, w, 1_800_000_000)
        resolve("mmd_rbf", "gpu")(z, w, 1.0, np.zeros_like(z))
    assert device.bytes < 100e6
    assert len(device.launches) < 20
    for launch in device.launches:
        _is_a_grid(launch)

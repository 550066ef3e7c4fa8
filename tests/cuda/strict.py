"""A GPU's manners on a CPU: a device whose arrays are not to be read, and a lane whose lines must not race.

    device = StrictDevice()
    with using(device): ...                  backend "cupy" computes with DeviceArrays (strict_numpy.py); kernels run on the CPU (shim.py)
    device.lane()                            records by remembering, replays by calling again

A plain NumPy array as a kernel's argument raises; so do two launches that touch the same memory in no order (races.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from races import MAIN, touched
from shim import OnCpu
from strict_numpy import ORDER, StrictNumpy, on_host, recording

from npae.kernels.cuda.lane import Lane
from npae.kernels.cuda.recording import Recording


class AgainOnCpu(Recording):
    """Replays by calling again; chain() is that of the last replay."""

    def __init__(self, launches: Callable[[], object]) -> None:
        self.launches, self.last = launches, (0, 0)

    def __call__(self) -> None:
        ORDER.count()
        with recording():
            self.launches()
        assert not ORDER.under_way, "CUDA ends no recording while a line runs on"
        self.last = ORDER.launches, ORDER.longest

    def chain(self) -> tuple[int, int]:
        return self.last


class LaneOnCpu(Lane):
    """Replays by calling again; lines run in turn, and what may not be beside another raises."""

    def __init__(self) -> None:
        self.under_way, self.side_by_side = ORDER.under_way, True

    def __enter__(self) -> LaneOnCpu:
        ORDER.begin()
        self.under_way = ORDER.under_way
        self.inside = self.entered()
        self.inside.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.inside.__exit__(None, None, None)
        ORDER.begin()

    def record(self, launches: Callable[[], object]) -> Recording:
        """The launches, which may read nothing."""
        return AgainOnCpu(launches)

    def wait(self) -> None:
        """Nothing is under way."""

    def allocated(self) -> int:
        """Nothing is counted."""
        return 0

    def beside(self, line: str) -> contextlib.AbstractContextManager[None]:
        """Launches inside go to that line."""
        return ORDER.beside(line) if self.side_by_side else contextlib.nullcontext()

    def join(self, lines: set[str]) -> None:
        """What follows comes after these."""
        ORDER.join(set(lines))

    def is_main(self) -> bool:
        """Launches go to no line."""
        return ORDER.line == MAIN


class StrictDevice(OnCpu):
    """Kernels on the CPU, arrays as on a GPU."""

    def __init__(self, order: int = 0, seed: int = 0) -> None:
        super().__init__(order, seed)
        self.xp = StrictNumpy("strict")

    def kernel(self, name: str, kernel: str, real: str) -> Any:
        """The function, and before it runs a look at what it touches."""
        function = super().kernel(name, kernel, real)

        def call(grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any], *, shared_mem: int = 0) -> None:
            ORDER.touch(kernel, *touched(name, kernel, arguments))
            function(grid, block, arguments, shared_mem=shared_mem)

        return call

    def stream(self) -> int:
        """A number for the line."""
        return hash(ORDER.line)

    def lane(self) -> Lane:
        """Where launches are recorded."""
        return LaneOnCpu()

    def _argument(self, kernel: str, argument: Any) -> Any:
        if on_host(argument):
            raise TypeError(f"{kernel}: Unsupported type <class 'numpy.ndarray'>")
        return super()._argument(kernel, argument)

"""A device on which nothing is computed and memory is only counted: what launchers ask for at sizes that no test could afford."""

from __future__ import annotations

from typing import Any

import numpy as np
from device_arrays import Array
from shim import OnCpu


class Counting(OnCpu):
    """Launches nothing, and adds up the memory that is asked for."""

    asked = 0

    def empty(self, shape: int | tuple[int, ...], dtype: Any) -> Array:
        self.asked += int(np.prod(shape)) * np.dtype(dtype).itemsize
        return np.empty(0, dtype)

    def launch(self, *_: Any) -> None:
        """Nothing is computed."""

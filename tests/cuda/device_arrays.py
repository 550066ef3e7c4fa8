"""Arrays of the device that a test runs on: NumPy's where a CPU stands in for the GPU, CuPy's on the GPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.cuda.device import Device

Array = np.ndarray[Any, Any]


def host(array: Any) -> Array:
    """The array or number as NumPy's, for comparing."""
    return np.asarray(array.get() if hasattr(array, "get") else array)


def full(device: Device, shape: Any, value: float, dtype: str = "float64") -> Array:
    """An array of that shape on the device, every element the value."""
    made: Array = device.xp.full(shape, value, dtype)
    return made

"""value = scale sum (y - x)^2        dy = 2 scale (y - x)        in one launch; the value stays on the device.        y, x, dy (B, F)"""

from __future__ import annotations

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import elementwise
from npae.kernels.kernel import Array


def squared_error(y: Array, x: Array, scale: float, dy: Array) -> Array:
    """The squared error, and its gradient in `dy`."""
    gpu, value = current(), current().number()
    grid, block = elementwise(y.size)
    arguments = (y, x, *gpu.scalar(scale), dy, y.size, *gpu.sum_room(grid), value)
    gpu.launch("squared_error/squared_error.cu", "squared_error", y.dtype, grid, block, arguments)
    return value

"""value = scale sum (y - x)^2        dy = 2 scale (y - x)        y, x, dy (B, F)"""

from __future__ import annotations

import numpy as np

from npae.kernels.kernel import Array


def squared_error(y: Array, x: Array, scale: float, dy: Array) -> float:
    """The squared error, and its gradient in `dy`."""
    error = y - x
    value = scale * float(np.square(error).sum(dtype=np.float64))
    dy[...] = 2.0 * scale * error
    return value

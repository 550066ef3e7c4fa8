"""value = scale sum (y - x)^2        dy = 2 scale (y - x)        in one pass, compiled.        y, x, dy (B, F)"""

from __future__ import annotations

import numpy as np

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array


@jit(FAST)
def squared_error(y: Array, x: Array, scale: float, dy: Array) -> float:
    """The squared error, and its gradient in `dy`."""
    factor = y.dtype.type(2.0 * scale)
    flat_y, flat_x, flat_d = y.reshape(-1), x.reshape(-1), dy.reshape(-1)
    total = 0.0
    for i in range(flat_y.size):
        error = flat_y[i] - flat_x[i]
        total += np.float64(error * error)
        flat_d[i] = factor * error
    return scale * total

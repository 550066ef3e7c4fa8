"""One step of Adam, line by line as algorithm 1.        theta, grad, m, v (P,)"""

from __future__ import annotations

import numpy as np

from npae.kernels.kernel import Array


def adam(
    theta: Array,
    grad: Array,
    m: Array,
    v: Array,
    alpha: float,
    beta1: float,
    beta2: float,
    root_scale: float,
    epsilon: float,
    gradient_scale: float,
) -> None:
    """Updates theta, m and v in place; a gradient_scale that is NaN leaves them."""
    if np.isnan(gradient_scale):
        return
    g = gradient_scale * grad
    m[...] = beta1 * m + (1.0 - beta1) * g
    v[...] = beta2 * v + (1.0 - beta2) * np.square(g)
    theta -= alpha * m / (np.sqrt(v) * root_scale + epsilon)

"""Numerical derivatives of a scalar function of an array that is changed in place, in float64.

    f'(x) ~ [ 8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h)) ] / 12h         error h^4 f^(5) / 30, plus rounding eps |f| / h

    R(h) = | f(x + h v) - f(x) - h g.v |  ~  h^order                     order 2 (or more) if and only if g is the gradient

A kink (of a ReLU, a clip, an order statistic) inside the step spoils a difference; a smaller step then agrees.
A wrong gradient agrees at none.
Sources: Fornberg 1988, "Generation of finite difference formulas"; the Taylor test: Farrell et al. 2013.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from npae.backend import Array, Backend

STEPS = (1e-3, 1e-4, 1e-5)  # tried in this order
TAYLOR_STEPS = tuple(1e-3 * 2.0**-k for k in range(6))
KINK_RETRIES = 3  # each time with Taylor steps four times smaller

Function = Callable[[], float]


def derivative(f: Function, flat: Array, index: int, h: float) -> float:
    """df/dflat[index] by the five-point formula; flat is left as it was."""
    start = float(flat[index])
    values = []
    for offset in (h, -h, 2 * h, -2 * h):
        flat[index] = start + offset
        values.append(f())
    flat[index] = start
    plus, minus, plus2, minus2 = values
    return (8 * (plus - minus) - (plus2 - minus2)) / (12 * h)


def taylor_order(f: Function, flat: Array, gradient: Array, direction: Array, backend: Backend | None = None) -> float:
    """The slope of log R(h) against log h; infinite where R vanishes up to rounding (f is linear there).

    flat lies where `backend` computes (without one: on the host), gradient and direction on the host.
    """
    backend = backend or Backend()
    start, value, slope = backend.to_host(flat).copy(), f(), float(gradient @ direction)
    order = math.nan
    for retry in range(KINK_RETRIES):
        steps, remainders = [], []
        for step in (h * 4.0**-retry for h in TAYLOR_STEPS):
            flat[:] = backend.from_host(start + step * direction)
            remainder = abs(f() - value - step * slope)
            if remainder > 1e3 * np.finfo(float).eps * max(1.0, abs(value)):
                steps.append(math.log(step))
                remainders.append(math.log(remainder))
        flat[:] = backend.from_host(start)
        if len(steps) < 2:
            return math.inf
        order = float(np.polyfit(steps, remainders, 1)[0])
        if order > 1.9:
            break
    return order

"""What figures are drawn from: rows of finite numbers (N, F), checked before anything is drawn.

Raises InputError for another shape or dtype, for more samples than a reader can look at and for a number that is too small; NonFiniteError
for NaN and infinity.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npae.errors import InputError, NonFiniteError

Array: TypeAlias = NDArray[np.float64]

MOST = 1000  # samples in one figure: beyond it a page is 12,000 pixels high and nobody can read it


def rows(name: str, x: ArrayLike) -> Array:
    """`x` as float64 (N, F), or the reason why it is not."""
    values: NDArray[Any] = np.asarray(x)
    if values.dtype.kind not in "biuf":
        raise InputError(f"{name}: dtype {values.dtype} is not a real number; give an array of floats or integers")
    if values.ndim != 2 or values.size == 0:
        raise InputError(f"{name}: shape {values.shape}, expected (N, F) with N and F at least 1; reshape to one row a sample")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        i, j = bad[0]
        raise NonFiniteError(
            f"{name}: {values[i, j]} in row {i}, column {j}; only finite numbers can be drawn, remove or replace such rows"
        )
    return values.astype(np.float64)


def few_rows(name: str, x: ArrayLike) -> Array:
    """`rows`, and no more of them than a reader can look at."""
    values = rows(name, x)
    if len(values) > MOST:
        raise InputError(f"{name}: {len(values)} samples, at most {MOST} fit in a figure; draw a part, for example {name}[:100]")
    return values


def positive(name: str, value: int, least: int = 1) -> int:
    """An integer that is at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"{name}: {value!r}, expected an integer of at least {least}")
    return int(value)

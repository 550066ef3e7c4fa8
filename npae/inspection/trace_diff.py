"""Where two traces of a step part: tensor by tensor, in the order in which the step makes them.      a b, of one shape

    difference = max |a - b|         relative = max |a - b| / max(max |a|, max |b|)         0 where both are zero

They part first at the first tensor whose relative difference is above the tolerance, or whose shape differs, or that only one of them has:
everything after it may follow from that. The tolerance is 100 units in the last place of the coarser of the two dtypes unless one is given.
A value that is not finite is equal to one of the same kind. Of two summaries (.json) mean, std, min, max and norm are compared in that way.
Raises InputError for traces that have no tensor in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.inspection.trace_file import SUMMARY, Stored

ULPS = 100.0


@dataclass(frozen=True)
class Parting:
    """One tensor: how far the two are apart, at which index, and both values there. `says` is what cannot be measured."""

    tensor: str
    shape: tuple[int, ...]
    difference: float | None
    relative: float | None
    index: tuple[int, ...]
    a: float | None
    b: float | None
    parts: bool
    says: str


@dataclass(frozen=True)
class Difference:
    """Every tensor, and the first at which they part."""

    rows: tuple[Parting, ...]
    tolerance: float

    @property
    def first(self) -> Parting | None:
        """None where nowhere."""
        return next((row for row in self.rows if row.parts), None)


def default_tolerance(a: Stored, b: Stored) -> float:
    """100 units in the last place of the coarser dtype."""
    return ULPS * max(float(np.finfo(np.dtype(str(one.about["dtype"]))).eps) for one in (a, b))


def compare(a: Stored, b: Stored, tolerance: float | None = None) -> Difference:
    """b beside a."""
    if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance {tolerance} is no relative difference: it must be a finite number of at least 0")
    within = default_tolerance(a, b) if tolerance is None else tolerance
    if a.summaries != b.summaries:
        a, b = _summarised(a), _summarised(b)
    if not a.arrays.keys() & b.arrays.keys():
        raise InputError("the two traces have no tensor in common: they are of different models; compare two of one configuration")
    names = [*a.arrays, *(name for name in b.arrays if name not in a.arrays)]
    return Difference(tuple(_compared(name, a.arrays.get(name), b.arrays.get(name), within) for name in names), within)


def _compared(name: str, a: Array | None, b: Array | None, tolerance: float) -> Parting:
    if a is None or b is None:
        shape = (a if b is None else b).shape  # type: ignore[union-attr]
        return Parting(name, shape, None, None, (), None, None, True, f"only in the {'first' if b is None else 'second'}")
    if a.shape != b.shape:
        return Parting(name, a.shape, None, None, (), None, None, True, f"shape {a.shape} beside {b.shape}")
    if not a.size:
        return Parting(name, a.shape, 0.0, 0.0, (), None, None, False, "")
    left, right = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.where((left == right) | (np.isnan(left) & np.isnan(right)), 0.0, np.abs(left - right))
    apart = np.where(np.isnan(apart), np.inf, apart)
    index = tuple(int(i) for i in np.unravel_index(int(apart.argmax()), a.shape))
    worst, scale = float(apart[index]), max(_largest(left), _largest(right))
    relative = worst / scale if scale and math.isfinite(worst) else (math.inf if worst else 0.0)
    says = "" if math.isfinite(worst) else f"{left[index]} beside {right[index]}"
    at_left, at_right = _finite(float(left[index])), _finite(float(right[index]))
    return Parting(name, a.shape, _finite(worst), _finite(relative), index, at_left, at_right, relative > tolerance, says)


def _summarised(stored: Stored) -> Stored:
    if stored.summaries:
        return stored
    return Stored(stored.about, {name: _summary(array) for name, array in stored.arrays.items()}, summaries=True)


def _summary(array: Any) -> Array:
    """Mean, std, min, max and norm, in the order of a .json."""
    values = array.astype(np.float64)
    found = {"mean": values.mean(), "std": values.std(), "min": values.min(), "max": values.max(), "norm": np.linalg.norm(values)}
    return np.array([found[name] for name in SUMMARY])


def _largest(values: Array) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

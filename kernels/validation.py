"""What the public functions of `npae.kernels` accept as points, and one line for each thing that they refuse.

    points(name, array)               (n, d) finite, float32 or float64 (whole numbers become float64), C-contiguous (a view is copied)
    samples(z, w, at_least)           two of them with the same d and dtype, each of at least so many points
    positive(name, value)             a finite number above 0
    labels_of(labels, n)              (c, n) of 0 and 1, as C-contiguous int8
    rank_among(rank, count)           a whole number from 0 to count - 1

Raises InputError, and NonFiniteError for a NaN or an infinity, which it names by row and column.
"""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from npae.errors import InputError, NonFiniteError
from npae.kernels.kernel import Array


def points(name: str, array: Any) -> Array:
    """The array as kernels take it."""
    array = np.asarray(array)
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise InputError(f"{name} has dtype {array.dtype}; expected float32, float64 or whole numbers: use {name}.astype('float32')")
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{name} has shape {array.shape}; expected (points, features) with at least one of each: use {name}.reshape(n, d)")
    finite = np.isfinite(array)
    if not finite.all():
        row, column = (int(index) for index in np.argwhere(~finite)[0])
        raise NonFiniteError(f"{name}: row {row} holds {array[row, column]} in column {column}; expected finite numbers: drop that row")
    return np.ascontiguousarray(array)


def samples(names: tuple[str, str], z: Any, w: Any, at_least: int = 1) -> tuple[Array, Array]:
    """Two sets of points that can be compared."""
    z, w = points(names[0], z), points(names[1], w)
    if z.shape[1] != w.shape[1]:
        raise InputError(f"{names[0]} has {z.shape[1]} features and {names[1]} has {w.shape[1]}; expected the same number in both")
    if z.dtype != w.dtype:
        raise InputError(f"{names[0]} is {z.dtype} and {names[1]} is {w.dtype}; expected one dtype: use {names[1]}.astype('{z.dtype}')")
    for name, array in zip(names, (z, w), strict=True):
        if len(array) < at_least:
            raise InputError(f"{name} has {len(array)} point; expected at least {at_least}: the unbiased estimate is a mean over pairs")
    return z, w


def positive(name: str, value: Any) -> float:
    """A finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value) or value <= 0:
        raise InputError(f"{name} is {value!r}; expected a finite number above 0")
    return float(value)


def labels_of(labels: Any, n: int) -> Array:
    """Which of n points are in a group (1) and which are not (0); each row is a group."""
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.shape[1] != n or not len(labels):
        raise InputError(f"labels have shape {labels.shape}; expected (groups, {n}), a number for each point, with at least one group")
    if not ((labels == 0) | (labels == 1)).all():
        raise InputError("labels hold a value that is neither 0 nor 1; expected 1 for a point of the group and 0 for any other")
    return np.ascontiguousarray(labels, np.int8)


def rank_among(rank: Any, count: int) -> int:
    """A rank, counted from 0."""
    if isinstance(rank, bool) or not isinstance(rank, int | np.integer) or not 0 <= rank < count:
        raise InputError(f"rank is {rank!r}; expected a whole number from 0 (smallest) to {count - 1} (largest of {count} distances)")
    return int(rank)

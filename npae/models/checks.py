"""What a model is given, checked once at its public face: data, companions, noise, weights.

Each function returns the checked value in the model's own dtype, or raises InputError with the value, what was expected and the fix
(NonFiniteError where a number is NaN or infinite).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError, NonFiniteError


def check_rows(x: Array, *, kind: str, features: int, dtype: np.dtype[Any], unit_interval: bool) -> Array:
    """x as a C-contiguous (B, F) array of the model's dtype; in [0, 1] where the likelihood is a Bernoulli."""
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] != features or not len(x):
        hint = "; flatten images with x.reshape(len(x), -1)" if x.ndim > 2 else ""
        raise InputError(f"x of shape {x.shape}: this {kind} expects (rows, {features}) with at least one row{hint}")
    x = _numbers("x", x, dtype)
    if unit_interval and (x.min() < 0 or x.max() > 1):
        low, high = float(x.min()), float(x.max())
        raise InputError(
            f"x ranges over [{low:.4g}, {high:.4g}]: a Bernoulli likelihood needs values in [0, 1];"
            " scale them (--set scale=minmax), or take another likelihood (--set reconstruction=gaussian)"
        )
    return x


def check_labels(y: Array | None, rows: int, *, kind: str, classes: int) -> Array:
    """One whole number from 0 to classes - 1 for each row, as int64."""
    if y is None:
        raise InputError(
            f"this {kind} needs a label for each row: pass y, whole numbers from 0 to {classes - 1}, one for each of {rows} rows"
        )
    y = np.asarray(y)
    if y.shape != (rows,):
        raise InputError(
            f"labels of shape {y.shape} for {rows} rows: expected ({rows},), one label a row; for one-hot rows use argmax(axis=1)"
        )
    if y.dtype.kind not in "iu":
        raise InputError(f"labels of dtype {y.dtype}: expected whole numbers, such as int64")
    outside = np.flatnonzero((y < 0) | (y >= classes))
    if len(outside):
        raise InputError(
            f"label {y[outside[0]]} (row {outside[0]}): this {kind} has {classes} classes, 0 to {classes - 1}; give one of them"
        )
    return y.astype(np.int64, copy=False)


def check_targets(y: Array | None, rows: int, *, kind: str, features: int, dtype: np.dtype[Any]) -> Array:
    """The targets (B, T) in the model's dtype."""
    if y is None:
        raise InputError(f"this {kind} needs a target for each row: pass y of shape ({rows}, {features})")
    y = np.asarray(y)
    if y.shape != (rows, features):
        raise InputError(f"targets of shape {y.shape} for {rows} rows: this {kind} expects ({rows}, {features})")
    return _numbers("y", y, dtype)


def check_codes(z: Array, *, latent: int, dtype: np.dtype[Any]) -> Array:
    """Codes (N, Z), finite, in the model's dtype."""
    z = np.asarray(z)
    if z.ndim != 2 or z.shape[1] != latent:
        raise InputError(f"codes of shape {z.shape}: decode expects (N, {latent})")
    if z.dtype.kind not in "fiub":
        raise InputError(f"codes of dtype {z.dtype}: decode expects numbers, such as {dtype}")
    if not np.isfinite(z).all():
        raise NonFiniteError(f"codes: row {int(np.argwhere(~np.isfinite(z))[0][0])} holds a value that is not finite")
    return np.ascontiguousarray(z, dtype)


def check_noise(wanted: Mapping[str, tuple[int, int]], noise: Mapping[str, Array] | None, rows: int) -> None:
    """Every array that one step draws is there, in its shape."""
    given = {name: array.shape for name, array in (noise or {}).items()}
    for name, shape in wanted.items():
        if given.get(name) != shape:
            found = f"of shape {given[name]}" if name in given else "missing"
            raise InputError(f"noise '{name}' is {found}, expected {shape}: pass noise=model.draw(seed, step, {rows})")


def check_weight(name: str, value: float) -> float:
    """The weight of a term: a finite number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value) or value < 0:
        raise InputError(f"{name} {value!r} is not a weight: it must be a finite number of at least 0")
    return float(value)


def check_steps(name: str, value: int) -> int:
    """A number of steps: a whole number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise InputError(f"{name} {value!r} is not a number of steps: it must be a whole number of at least 0")
    return int(value)


def check_count(name: str, value: int) -> int:
    """How many of something that is needed: a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InputError(f"{name} {value!r} is not a count: it must be a whole number of at least 1")
    return int(value)


def check_rate(name: str, value: float) -> float:
    """The size of a step: a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not (0 < value < math.inf):
        raise InputError(f"{name} {value!r} is not the size of a step: it must be a finite number above 0")
    return float(value)


def _numbers(name: str, x: Array, dtype: np.dtype[Any]) -> Array:
    if x.dtype.kind not in "fiub":
        raise InputError(f"{name} of dtype {x.dtype}: numbers are expected, such as {dtype}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is named below
        x = np.ascontiguousarray(x, dtype)
    if not (math.isfinite(float(x.min())) and math.isfinite(float(x.max()))):
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise NonFiniteError(f"{name}[{row}, {column}] is {x[row, column]}: every value must be finite; remove or fill that row")
    return x

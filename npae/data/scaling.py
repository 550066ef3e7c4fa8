"""From raw values to the numbers a model sees: one affine rule, fitted on the training rows and stored with the run.

    x = (raw - shift) / factor      raw, x (N, F)    shift, factor (F,) or scalars; computed in float64, rounded once to the dtype
    raw = x factor + shift          what undo_scaling gives back

| kind     | stored                         | shift | factor                          |
|----------|--------------------------------|-------|---------------------------------|
| none     | -                              | 0     | 1                               |
| divide   | by                             | 0     | by                              |
| minmax   | low (F,), high (F,)            | low   | high - low (1 where constant)   |
| standard | mean (F,), deviation (F,)      | mean  | deviation (1 where constant)    |

So a feature that is constant in the training rows becomes 0 there. Rows that were not in the training set may leave [0, 1] under minmax.
A stored rule holds strings, floats and lists only: it can be written as JSON.
Raises InputError for an unknown rule, for integers that "auto" cannot interpret, and for results that the dtype cannot hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from npae.backend import Array, check_dtype
from npae.data.raw import blocks, check_finite
from npae.errors import InputError, nearest
from npae.kernels.threads import share, threads_for

Scaling: TypeAlias = dict[str, Any]

SCALES = ("auto", "none", "minmax", "standard")


def fit_scaling(train: Array, scale: str, divisor: float | None, what: str) -> Scaling:
    """The rule that `scale` means for these training rows (N, F)."""
    if scale not in SCALES:
        raise InputError(f"scale '{scale}' is not one of {', '.join(SCALES)}{nearest(scale, SCALES, listed=True)}")
    if scale == "none":
        return {"kind": "none"}
    if scale == "auto":
        return _automatic(train, divisor, what)
    low, high = (limit.astype(np.float64) for limit in (train.min(axis=0), train.max(axis=0)))
    if scale == "minmax":
        return {"kind": "minmax", "low": low.tolist(), "high": high.tolist()}
    mean = np.where(low == high, low, train.mean(axis=0, dtype=np.float64))  # a constant's mean may be off by a rounding
    squares = np.zeros_like(mean)
    for _, block in blocks(train):
        squares += np.square(block - mean).sum(axis=0)
    return {"kind": "standard", "mean": mean.tolist(), "deviation": np.sqrt(squares / len(train)).tolist()}


def _automatic(train: Array, divisor: float | None, what: str) -> Scaling:
    """Bytes are grey levels of 255, floats and booleans stay, and other integers could be anything."""
    if divisor is not None:
        return {"kind": "divide", "by": divisor}
    if train.dtype.kind in "bf":
        return {"kind": "none"}
    if train.dtype != np.uint8:
        raise InputError(f"{what}: values of dtype {train.dtype}: their range is not known; choose --scale none, minmax or standard")
    if train.max() <= 1:
        raise InputError(f"{what}: uint8 values of 0 and 1 only, which --scale auto would divide by 255; choose --scale none")
    return {"kind": "divide", "by": 255.0}


_AFFINE: dict[str, Callable[[Scaling], tuple[Any, Any]]] = {
    "none": lambda rule: (0.0, 1.0),
    "divide": lambda rule: (0.0, rule["by"]),
    "minmax": lambda rule: (rule["low"], np.subtract(rule["high"], rule["low"])),
    "standard": lambda rule: (rule["mean"], rule["deviation"]),
}


def apply_scaling(raw: Array, scaling: Scaling, dtype: str = "float32") -> Array:
    """x = (raw - shift) / factor as a new C-contiguous (N, F) array of `dtype`."""
    if raw.ndim != 2:
        raise InputError(
            f"data of shape {raw.shape} cannot be scaled; expected rows (N, F): reshape it to ({len(raw) if raw.ndim else 1}, -1)"
        )
    kind = str(scaling.get("kind"))
    if kind not in _AFFINE:
        raise InputError(f"scaling '{kind}' is not one of {', '.join(_AFFINE)}{nearest(kind, _AFFINE, listed=True)}")
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is found by check_finite below
        shift, factor = (np.asarray(value, dtype=np.float64) for value in _AFFINE[kind](scaling))
        if shift.ndim and len(shift) != raw.shape[1]:
            raise InputError(
                f"data of {raw.shape[1]} features; this run was scaled by '{kind}' for {len(shift)}: give rows of {len(shift)} numbers"
            )
        factor = np.where(factor == 0, 1.0, factor)
        x = np.empty(raw.shape, dtype=check_dtype(dtype))
        if _one_division(raw, shift, factor, x.dtype):
            threads, by = threads_for(raw.size), x.dtype.type(factor)
            share(threads, lambda k: np.divide(raw[k::threads], by, out=x[k::threads], dtype=x.dtype))
        else:
            for start, block in blocks(raw):
                np.divide(np.subtract(block, shift, dtype=np.float64), factor, out=x[start : start + len(block)], casting="same_kind")
    if raw.dtype.kind == "f":
        check_finite(x, f"scale '{kind}' to {dtype}")
    return x


def _one_division(raw: Array, shift: Array, factor: Array, dtype: np.dtype[Any]) -> bool:
    """Whether x is a quotient of two numbers of its own dtype, as for grey levels: rounded once there too, and three times as quick."""
    scalar = shift.ndim == factor.ndim == 0
    return scalar and not shift and raw.dtype.kind == "u" and np.can_cast(raw.dtype, dtype) and dtype.type(factor) == factor


def undo_scaling(x: Array, scaling: Scaling) -> Array:
    """raw = x * factor + shift: rows (N, F) in the units of the data, as floats of the same dtype."""
    shift, factor = (np.asarray(value, dtype=np.float64) for value in _AFFINE[str(scaling["kind"])](scaling))
    return (x * np.where(factor == 0, 1.0, factor) + shift).astype(x.dtype)

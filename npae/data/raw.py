"""Data as it was read, before scaling: what every reader returns, and the checks that all of it passes.

    rows_of(array)        (N, F) stays; images (N, H, W) or (N, H, W, C) are flattened to (N, H*W*C) and their shape is kept
    labels_of(array, n)   n class numbers as int64
    check_finite(rows)    no NaN, no infinity

All raise InputError with the source, the value and the fix.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from npae.backend import Array
from npae.data.text import TextFormat
from npae.errors import InputError

ImageShape: TypeAlias = tuple[int, int] | tuple[int, int, int]

MAX_UNPACKED = 4 * 2**30  # bytes that a compressed file may unpack to: far above any data set that fits, far below a bomb
CHANNELS = (1, 3, 4)


@dataclass(frozen=True, eq=False)
class Raw:
    """What a reader found. `divisor` is the largest value the data set can hold, where that is known (digits: 16)."""

    source: str
    train: Array
    train_labels: Array | None = None
    test: Array | None = None
    test_labels: Array | None = None
    validation: Array | None = None
    train_targets: Array | None = None
    test_targets: Array | None = None
    label_names: list[str] | None = None
    divisor: float | None = None
    text: TextFormat | None = None


def rows_of(array: Array, what: str) -> tuple[Array, ImageShape | None]:
    """The array as rows (N, F), and the shape of one image where it holds images."""
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"{what}: values of dtype {array.dtype}; expected numbers (bool, integers or floats): convert with .astype(np.float32)"
        )
    if array.ndim not in (2, 3, 4):
        raise InputError(f"{what}: shape {array.shape}; expected rows (N, F) or images (N, H, W) or (N, H, W, C): reshape it")
    if array.size == 0:
        raise InputError(f"{what}: shape {array.shape} is empty; expected at least one row of at least one number")
    if array.ndim == 4 and array.shape[3] not in CHANNELS:
        raise InputError(f"{what}: shape {array.shape} has {array.shape[3]} channels; expected 1, 3 or 4, last: use np.moveaxis(x, 1, -1)")
    rows = array.reshape(len(array), math.prod(array.shape[1:]))
    if array.ndim == 2:
        return rows, None
    height, width, *channels = (int(size) for size in array.shape[1:])
    return rows, (height, width, channels[0]) if channels and channels[0] > 1 else (height, width)


def labels_of(labels: Array, rows: int, what: str) -> Array:
    """Class numbers as int64, one a row."""
    if labels.ndim != 1:
        raise InputError(f"{what}: labels of shape {labels.shape}; expected ({rows},): for one-hot rows use .argmax(axis=1)")
    if labels.dtype.kind not in "iu":
        raise InputError(f"{what}: labels of dtype {labels.dtype}; expected integers: convert with .astype(np.int64)")
    if len(labels) != rows:
        raise InputError(f"{what}: {len(labels)} labels for {rows} rows; expected one label a row")
    return labels.astype(np.int64)


def check_finite(rows: Array, what: str) -> None:
    """Raise at the first NaN or infinity of (N, F) rows, counted from 0."""
    for start, block in blocks(rows):
        finite = np.isfinite(block)
        if not finite.all():
            row, column = (int(index) for index in np.argwhere(~finite)[0])
            value = block[row, column]
            raise InputError(
                f"{what}: row {start + row}, column {column} (counted from 0) is {value}; expected a finite number: fix or drop the row"
            )


def blocks(rows: Array) -> Iterator[tuple[int, Array]]:
    """(first row, rows) of about a hundred thousand numbers each: temporaries stay in the cache and no second (N, F) array is made."""
    step = max(1, 2**17 // rows.shape[1])
    for start in range(0, len(rows), step):
        yield start, rows[start : start + step]


def image_shape_for(shape: Any, features: int, what: str) -> ImageShape:
    """A user's image shape, when it holds as many numbers as a row does."""
    sizes = tuple(shape)
    whole = all(isinstance(size, int) and size > 0 for size in sizes)
    if len(sizes) not in (2, 3) or not whole or math.prod(sizes) != features:
        raise InputError(
            f"{what}: image shape {sizes} does not fit rows of {features} numbers; expected (H, W) or (H, W, C) with that product"
        )
    return (sizes[0], sizes[1]) if len(sizes) == 2 else (sizes[0], sizes[1], sizes[2])

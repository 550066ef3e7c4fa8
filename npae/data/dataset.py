"""A data set ready to train on, and `load`, which makes one from a name or a path.

    digits | tones | dates | mnist | ...                  by name: see catalogue.py
    FILE.npy  FILE.npz  FILE.csv                          rows (N, F), or images (N, H, W) and (N, H, W, C)
    FOLDER                                                IDX files under MNIST's names, or PNG images

A name goes before a path: write ./mnist for a folder of that name. Raises InputError with the fix for whatever cannot be used.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npae.backend import Array, check_dtype
from npae.data.catalogue import CATALOGUE
from npae.data.from_name import read_name
from npae.data.from_path import read_path
from npae.data.raw import ImageShape, Raw, check_finite, image_shape_for, labels_of, rows_of
from npae.data.scaling import Scaling, apply_scaling, fit_scaling
from npae.data.text import TextFormat
from npae.errors import InputError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows (N, F) of one dtype, C-contiguous, and what is known about them.

    `source` is a path, "scikit-learn" or "generated"; `scaling` is how raw values became these (scaling.py); `fingerprint` is the SHA-256
    of the training values as they were read, before scaling, then of the test values and the targets where there are any, so that a run can
    be matched to its data. Only
    binarized-mnist has validation rows. Targets (N, T) are what each row is to become where that is not the row itself; they are not
    scaled. `text` says how rows and targets are read as text, where they are.
    """

    name: str
    source: str
    train: Array
    train_labels: Array | None
    test: Array | None
    test_labels: Array | None
    validation: Array | None
    image_shape: ImageShape | None
    scaling: Scaling
    label_names: list[str] | None
    fingerprint: str
    train_targets: Array | None = None
    test_targets: Array | None = None
    text: TextFormat | None = None


def load(
    name_or_path: str,
    *,
    dtype: str = "float32",
    scale: str = "auto",
    scaling: Scaling | None = None,
    image_shape: ImageShape | None = None,
) -> Dataset:
    """The data set of that name, downloaded when it is not on this machine, or the user's own at that path.

    `scale` fits a rule to the training rows; `scaling` is a rule fitted before, to be applied to new rows as it is.
    """
    check_dtype(dtype)
    known = name_or_path in CATALOGUE
    raw = read_name(name_or_path) if known else read_path(name_or_path)
    train, found_shape = rows_of(raw.train, f"{raw.source}: training rows")
    shape = image_shape_for(image_shape, train.shape[1], raw.source) if image_shape is not None else found_shape
    if train.dtype.kind == "f":
        check_finite(train, f"{raw.source}: training rows")
    scaling = fit_scaling(train, scale, raw.divisor, raw.source) if scaling is None else scaling
    with ThreadPoolExecutor(1, "npae-hash") as beside:
        fingerprint = beside.submit(_fingerprint, raw.train, raw.test, raw.train_targets, raw.test_targets)
        rows = apply_scaling(train, scaling, dtype)
        test = _held_out(raw.test, raw, train, scaling, dtype, "test rows")
    return Dataset(
        name=name_or_path if known else Path(name_or_path).stem,
        source=raw.source,
        train=rows,
        train_labels=_labels(raw.train_labels, rows, f"{raw.source}: training rows"),
        test=test,
        test_labels=_labels(raw.test_labels, test, f"{raw.source}: test rows"),
        train_targets=_targets(raw.train_targets, rows, dtype, f"{raw.source}: training targets"),
        test_targets=_targets(raw.test_targets, test, dtype, f"{raw.source}: test targets"),
        validation=_held_out(raw.validation, raw, train, scaling, dtype, "validation rows"),
        image_shape=shape,
        scaling=scaling,
        label_names=raw.label_names,
        text=raw.text,
        fingerprint=fingerprint.result(),
    )


def _held_out(part: Array | None, raw: Raw, train: Array, scaling: Scaling, dtype: str, name: str) -> Array | None:
    """Rows that were not trained on, scaled by the training rows' rule."""
    if part is None:
        return None
    what = f"{raw.source}: {name}"
    rows, _ = rows_of(part, what)
    if part.shape[1:] != raw.train.shape[1:] or part.dtype != raw.train.dtype:
        have, want = f"{part.dtype} {part.shape[1:]}", f"{train.dtype} {raw.train.shape[1:]}"
        raise InputError(f"{what} are {have} each and the training rows {want}; expected the same dtype and shape")
    if rows.dtype.kind == "f":
        check_finite(rows, what)
    return apply_scaling(rows, scaling, dtype)


def _labels(labels: Array | None, rows: Array | None, what: str) -> Array | None:
    if labels is None:
        return None
    if rows is None:
        raise InputError(f"{what}: labels without rows; save the rows too, or leave the labels out")
    return labels_of(labels, len(rows), what)


def _targets(targets: Array | None, rows: Array | None, dtype: str, what: str) -> Array | None:
    if targets is None:
        return None
    flat, _ = rows_of(targets, what)
    if rows is None or len(flat) != len(rows):
        raise InputError(f"{what}: {len(flat)} targets for {0 if rows is None else len(rows)} rows; expected one target a row")
    check_finite(flat, what)
    return np.ascontiguousarray(flat, dtype)


def _fingerprint(*parts: Array | None) -> str:
    digest = hashlib.sha256()
    for part in parts:
        if part is not None:
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()

"""Which rows of a data set train, and which validate.

    validation "test"   the data's test rows               a share   that many of the training rows, picked by the seed
    validation "auto"   the data's validation rows, else its test rows, else a share of 0.1                "none"    nothing
    keep [3]            of both parts only the rows with that label: a detector of strange rows is trained on normal ones alone

Raises InputError when there are no test rows, a share leaves nothing on one side, or no row has a label that is to be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from npae.backend import Array
from npae.data import Dataset
from npae.data.batches import batch_indices
from npae.errors import InputError
from npae.models import Model

SPLIT_EPOCH = 2**32 - 1  # the shuffle that picks validation rows: no training epoch has this number
AUTO_SHARE = 0.1
_NEEDED = {"labels": "a label for each row", "targets": "a target for each row"}
_FIX = {
    "labels": "take data with labels: digits, mnist, or an .npz with 'x' and 'y'",
    "targets": "take data with targets: dates, or an .npz with 'x' and 'target'",
}


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows, their labels and targets where there are any, and where they are from."""

    rows: Array
    labels: Array | None
    targets: Array | None
    which: str

    def companion(self, model: type[Model], data: str) -> Array | None:
        """What a model of that class reads beside each row: its labels, its targets, or nothing."""
        if model.companion is None:
            return None
        found = self.labels if model.companion == "labels" else self.targets
        if found is None:
            needed = f"a {model.kind} model needs {_NEEDED[model.companion]}"
            raise InputError(f"{needed}, and the {self.which} of '{data}' have none; {_FIX[model.companion]}")
        return found


@dataclass(frozen=True, eq=False)
class Split:
    """What trains, and what validates."""

    train: Part
    validation: Part | None

    @property
    def seen(self) -> Part:
        """What pictures and evaluations show: the rows that were held out, where there are any."""
        return self.validation or self.train


def split(dataset: Dataset, held: str | float, seed: int, keep: Sequence[int] | None = None) -> Split:
    """The two parts for a `validation` setting, and of each the rows with a label in `keep`."""
    parts = _split(dataset, held, seed)
    if keep is None:
        return parts
    return Split(_kept(parts.train, keep, dataset), _kept(parts.validation, keep, dataset) if parts.validation else None)


def places(dataset: Dataset, held: str | float, seed: int, keep: Sequence[int] | None = None) -> Array:
    """Where the rows that train stand among all training rows of the data, in order: the numbers by which their owner knows them."""
    held = _held(dataset, held)
    rows = _shares(len(dataset.train), held, seed)[0] if isinstance(held, float) else np.arange(len(dataset.train))
    return rows if keep is None or dataset.train_labels is None else rows[np.isin(dataset.train_labels[rows], list(keep))]


def _kept(part: Part, keep: Sequence[int], dataset: Dataset) -> Part:
    text = ",".join(map(str, keep))
    if part.labels is None:
        raise InputError(f"keep {text}: the {part.which} of '{dataset.name}' have no labels; leave keep out, or take data with labels")
    known = np.unique(part.labels)
    if missing := sorted(set(keep) - set(known.tolist())):
        raise InputError(f"keep {text}: none of the {part.which} of '{dataset.name}' has label {missing[0]}; they have {known.tolist()}")
    rows = np.isin(part.labels, list(keep))
    targets = None if part.targets is None else part.targets[rows]
    return Part(part.rows[rows], part.labels[rows], targets, f"{part.which} of label {text}")


def _held(dataset: Dataset, held: str | float) -> str | float:
    """What "auto" comes to."""
    if held != "auto":
        return held
    return "validation" if dataset.validation is not None else "test" if dataset.test is not None else AUTO_SHARE


def _split(dataset: Dataset, held: str | float, seed: int) -> Split:
    held = _held(dataset, held)
    if isinstance(held, float):
        train, validation = _shares(len(dataset.train), held, seed)
        return Split(_part(dataset, train, "training rows"), _part(dataset, validation, "validation rows"))
    every = _part(dataset, np.arange(len(dataset.train)), "training rows")
    if held == "none":
        return Split(every, None)
    if held == "validation" and dataset.validation is not None:
        return Split(every, Part(dataset.validation, None, None, "validation rows"))
    if dataset.test is None:
        raise InputError(f"validation 'test': the data '{dataset.name}' have no test rows; give a share such as 0.1")
    return Split(every, Part(dataset.test, dataset.test_labels, dataset.test_targets, "test rows"))


def _shares(n: int, share: float, seed: int) -> tuple[Array, Array]:
    """The numbers of the rows that train, and of those that validate."""
    count = round(share * n)
    if not 0 < count < n:
        raise InputError(f"validation {share} of {n} rows leaves {count} to validate and {n - count} to train; both need at least 1")
    (order,) = batch_indices(n, n, seed=seed, epoch=SPLIT_EPOCH, shuffle=True, drop_last=False)
    return np.sort(order[count:]), np.sort(order[:count])


def _part(dataset: Dataset, rows: Array, which: str) -> Part:
    labels, targets = dataset.train_labels, dataset.train_targets
    if len(rows) == len(dataset.train):
        return Part(dataset.train, labels, targets, which)
    return Part(dataset.train[rows], None if labels is None else labels[rows], None if targets is None else targets[rows], which)

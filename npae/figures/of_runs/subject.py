"""A trained run as a figure sees it, and what a person may choose about a figure.

Raises InputError for a choice that this run cannot serve: more rows than there are, a row, a label or a unit that it does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.backend import Array
from npae.data import Dataset
from npae.errors import InputError
from npae.models import Model
from npae.training.split import Part


@dataclass(frozen=True, eq=False)
class Choices:
    """What may be chosen; None leaves it to the figure. `DRAWINGS` says which figure takes which."""

    rows: int | None = None
    indices: tuple[int, ...] | None = None
    label: int | None = None
    units: tuple[int, int] | None = None
    grid: int | None = None
    extent: float | None = None
    corrupt: tuple[str, float] | None = None
    seed: int | None = None

    def given(self) -> list[str]:
        """The names of those that were chosen."""
        return [name for name, value in vars(self).items() if value is not None]


@dataclass(frozen=True, eq=False)
class Subject:
    """A model, the rows that trained it and the rows to look at, and its history. `name` is what a title calls it."""

    name: str
    model: Model
    dataset: Dataset
    trained: Part
    seen: Part
    history: Sequence[Mapping[str, Any]]
    best_epoch: int | None

    def companion(self, part: Part) -> Array | None:
        """What the model reads beside each row of a part: its label, its target, or nothing."""
        return part.companion(type(self.model), self.dataset.name)

    def some(self, part: Part, count: int, *, asked: int | None) -> int:
        """How many rows of a part to draw: as many as were asked for, else `count` or what there is."""
        if asked is None:
            return min(count, len(part.rows))
        if asked > len(part.rows):
            raise InputError(f"--rows {asked}: there are only {len(part.rows):,} {part.which} in '{self.dataset.name}'; ask for fewer")
        return asked

    def picked(self, part: Part, indices: Sequence[int]) -> Array:
        """The row numbers `indices` of a part, all of which have to exist."""
        for index in indices:
            if not 0 <= index < len(part.rows):
                raise InputError(
                    f"row {index}: the {part.which} of '{self.dataset.name}' are numbered 0 to {len(part.rows) - 1}; choose among those"
                )
        return np.array(indices)

    def rows(self, part: Part, indices: Array) -> tuple[Array, Array | None]:
        """Some rows of a part, with what the model reads beside them."""
        y = self.companion(part)
        return part.rows[indices], None if y is None else y[indices]

    def condition(self, rows: int, label: int | None) -> Array | None:
        """(rows,) times the label that the decoder is to read, 0 unless chosen; None for a model that reads none."""
        if self.model.companion != "labels":
            if label is not None:
                raise InputError(f"--label {label}: {self.name} is a {self.model.kind}, which reads no labels; leave it out")
            return None
        chosen, classes = label or 0, int(self.model.spec["classes"])
        if not 0 <= chosen < classes:
            raise InputError(f"--label {chosen}: {self.name} knows the labels 0 to {classes - 1}; give one of them")
        return np.full(rows, chosen)

    def label_name(self, label: int) -> str:
        """What a label is called."""
        names = self.dataset.label_names
        return str(label) if names is None else names[label]

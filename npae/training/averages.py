"""Row-weighted means of loss terms over batches, and the terms of a whole data set."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from npae.backend import Array
from npae.data.batches import batch_indices
from npae.models import Model, Terms
from npae.noise import Noise, evaluation_seed


class Averages:
    """Sums of terms times rows; `mean()` divides. `weights` are those of the last batch."""

    def __init__(
        self,
        sums: Mapping[str, float] | None = None,
        rows: int = 0,
        batches: int = 0,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self.sums, self.rows, self.batches, self.weights = dict(sums or {}), rows, batches, dict(weights or {})

    def add(self, terms: Terms, rows: int) -> None:
        """One batch."""
        for name, value in (("total", terms.total), *terms.items()):
            self.sums[name] = self.sums.get(name, 0.0) + value * rows
        self.rows += rows
        self.batches += 1
        self.weights = terms.weights

    def mean(self) -> dict[str, float]:
        """The mean over all rows, total first."""
        return {name: value / self.rows for name, value in self.sums.items()}


def evaluate_terms(model: Model, x: Array, y: Array | None = None, *, batch_size: int, seed: int) -> Averages:
    """The objective's terms over all rows of x (with their companions y), dropout off, in batches of nearly equal size.

    The seed deals the rows out to the batches: a term that looks at a batch together, such as an MMD, would see one class at a time where
    rows lie by class. The noise of a row is that of its place in the data, whichever batch it is dealt to, so a term that is a mean over
    rows does not notice. Both come from a seed apart from training's and are the same at every call: two epochs differ by their weights.
    """
    averages, seed, batches = Averages(), evaluation_seed(seed), math.ceil(len(x) / batch_size)
    noise = _noise_of_rows(model, len(x), batches, seed)
    for rows in deal(len(x), batches, seed):
        averages.add(model.loss(x[rows], None if y is None else y[rows], noise=noise.rows(rows)), len(rows))
    return averages


def deal(n: int, batches: int, seed: int) -> list[Array]:
    """The numbers 0 .. n - 1 shuffled and cut into batches of nearly equal size, each in its order."""
    (order,) = batch_indices(n, n, seed=seed, epoch=0, shuffle=True, drop_last=False)
    return [np.sort(rows) for rows in np.array_split(order, batches)]


def _noise_of_rows(model: Model, n: int, batches: int, seed: int) -> Noise:
    """The noise of n rows, drawn for as many batches of them as they lie."""
    parts = [model.draw(seed, step, len(rows), dropout=False) for step, rows in enumerate(np.array_split(np.arange(n), batches))]
    return Noise(**{name: model.backend.xp.concatenate([part[name] for part in parts]) for name in parts[0]})

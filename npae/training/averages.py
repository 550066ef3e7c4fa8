"""Row-weighted means of loss terms over batches, and the terms of a whole data set."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from npae.backend import Array
from npae.models import Model, Terms
from npae.noise import evaluation_seed


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

    The noise is that of a seed apart from training's, and the same at every call, so two epochs differ by their weights only.
    """
    averages = Averages()
    for step, rows in enumerate(np.array_split(np.arange(len(x)), math.ceil(len(x) / batch_size))):
        noise = model.draw(evaluation_seed(seed), step, len(rows))
        part = slice(rows[0], rows[-1] + 1)
        averages.add(model.loss(x[part], None if y is None else y[part], noise=noise), len(rows))
    return averages

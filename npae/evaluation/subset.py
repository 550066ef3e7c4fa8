"""Some of the rows of a data set, where all of them would take too long: a sample, not the beginning.

The first rows of a sorted file would all be of one class, and the first half of MNIST's test rows is the easier half.
"""

from __future__ import annotations

import numpy as np

from npae.backend import Array
from npae.data.batches import batch_indices
from npae.noise import evaluation_seed


def some_indices(rows: int, count: int, seed: int) -> Array:
    """`count` of the numbers 0 .. rows - 1, picked by the seed, in their order; all of them where there are no more."""
    if count >= rows:
        return np.arange(rows)
    order = batch_indices(rows, count, seed=evaluation_seed(seed), epoch=0, shuffle=True, drop_last=False)[0]
    return np.sort(order)


def some_rows(x: Array, count: int, seed: int) -> Array:
    """`count` rows picked by the seed, in their order; all of them where there are no more."""
    return x if count >= len(x) else np.asarray(x[some_indices(len(x), count, seed)])

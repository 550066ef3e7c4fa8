"""Samples of a model that is told the label: a column a class, its name above, as many rows as every class has samples.

    x (N, F), labels (N,)          row k of the picture holds the k-th sample of each class

Pictures are drawn in [0, 1], black to white; values outside are clamped, and a line under the figure says so. Rows that are no images,
or all of one class, are a grid of samples like any other.
Raises InputError for labels that are not one a row, and for what labelled_rows refuses.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.images import ImageShape
from npae.figures.labelled_rows import labelled_rows
from npae.figures.rows import few_rows
from npae.figures.samples import samples

MOST_COLUMNS = 20  # classes side by side before a picture is too small to be seen


def samples_by_label(x: ArrayLike, labels: ArrayLike, image_shape: ImageShape | None, names: Sequence[str] | None = None) -> Figure:
    """The rows of `x`, sorted into columns by label; `names` are those of labels 0, 1, 2, ..."""
    values, y = few_rows("samples", x), np.asarray(labels)
    if y.shape != (len(values),):
        raise InputError(f"labels: shape {y.shape} for {len(values)} samples; give one label a sample")
    classes = np.unique(y)[:MOST_COLUMNS]
    if image_shape is None or len(classes) == 1:
        return samples(values, image_shape)
    places = [np.flatnonzero(y == label) for label in classes]
    named = {f"{k + 1}": values[[place[k] for place in places]] for k in range(min(map(len, places)))}
    return labelled_rows(named, image_shape, headings=[names[label] if names else str(label) for label in classes])

"""The training images that pull hardest on the weights, the hardest first, each with its row and the norm of its gradient.

    images (N, F)      rows (N,) their places in the training data      norms (N,)      median: the norm of a middling row

Raises InputError for rows and norms that are not as many as the images, and for rows that are no images.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.images import ImageShape, pictures, show
from npae.figures.rows import few_rows
from npae.figures.style import WIDTH, house_style, new_figure, number

COLUMNS = 8


def influential(images: ArrayLike, rows: ArrayLike, norms: ArrayLike, median: float, image_shape: ImageShape, *, note: str = "") -> Figure:
    """A grid, read left to right."""
    values, places, sizes = few_rows("images", images), np.asarray(rows), np.asarray(norms, np.float64)
    if places.shape != (len(values),) or sizes.shape != (len(values),) or not median > 0:
        raise InputError(
            f"{len(values)} images, rows {places.shape}, norms {sizes.shape}, median {median}: expected one of each for an image"
        )
    drawn, clamped = pictures("images", values, image_shape)
    columns = min(COLUMNS, len(drawn))
    n_rows = math.ceil(len(drawn) / columns)
    cell = WIDTH / COLUMNS
    with house_style():
        figure = new_figure(
            cell * columns, (cell * image_shape[0] / image_shape[1] + 0.36) * n_rows, "; ".join(filter(None, (note, clamped)))
        )
        panels = figure.subplots(n_rows, columns, squeeze=False)
        for place, axes in enumerate(panels.flat):
            if place >= len(drawn):
                axes.set_visible(False)
                continue
            show(axes, drawn[place])
            axes.set_title(
                f"row {places[place]}\n{number(sizes[place] / median, '.1f')} x median", fontsize=7.0, fontweight="normal", loc="center"
            )
    return figure

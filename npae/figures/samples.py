"""A grid of samples: x (N, F) as pictures, or as profiles when the rows are not images.

Pictures are drawn in [0, 1], black to white; values outside are clamped, and a line under the figure says so.
Raises InputError when x is empty, not two-dimensional or not finite, or when image_shape does not multiply to F.
"""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.figures.images import COLUMNS, ImageShape, gap, inches_per_pixel, mosaic, pictures, show
from npae.figures.profiles import COLUMNS as PROFILE_COLUMNS
from npae.figures.profiles import profiles
from npae.figures.rows import few_rows, positive
from npae.figures.style import house_style, new_figure


def samples(x: ArrayLike, image_shape: ImageShape | None, *, columns: int | None = None) -> Figure:
    """The rows of `x`, `columns` a row (without a number: 10 pictures, or 4 profiles)."""
    values = few_rows("samples", x)
    if image_shape is None:
        return profiles({"sample": values}, positive("columns", PROFILE_COLUMNS if columns is None else columns))
    images, note = pictures("samples", values, image_shape)
    columns = min(positive("columns", COLUMNS if columns is None else columns), len(images))
    height, width = images.shape[1:3]
    page = mosaic(images, columns, gap(height, width))
    scale = inches_per_pixel(columns, height, width)
    with house_style():
        figure = new_figure(scale * page.shape[1] + 0.1, scale * page.shape[0] + 0.1, note)
        show(figure.subplots(), page)
    return figure

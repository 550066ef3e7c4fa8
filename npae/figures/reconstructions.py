"""Originals over their reconstructions: x and y (N, F) as pictures, or as one pair of lines a sample when the rows are not images.

Pictures are drawn in [0, 1], black to white; values outside are clamped, and a line under the figure says so.
Raises InputError when x and y differ in shape, are empty, not two-dimensional or not finite, or when image_shape does not multiply to F.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.images import COLUMNS, ImageShape, gap, inches_per_pixel, mosaic, pictures, show
from npae.figures.profiles import COLUMNS as PROFILE_COLUMNS
from npae.figures.profiles import profiles
from npae.figures.rows import Array, few_rows, positive
from npae.figures.style import WIDTH, house_style, new_figure

LABEL = 1.0  # inches, left of the pictures


def reconstructions(x: ArrayLike, y: ArrayLike, image_shape: ImageShape | None, *, columns: int | None = None) -> Figure:
    """Each original over its reconstruction, `columns` a row (without a number: 10 pairs of pictures, or 4 profiles)."""
    originals, rebuilt = few_rows("originals", x), few_rows("reconstructions", y)
    if originals.shape != rebuilt.shape:
        raise InputError(
            f"reconstructions: shape {rebuilt.shape}, but the originals have {originals.shape}; give one row for each original"
        )
    if image_shape is None:
        named = {"original": originals, "reconstruction": rebuilt}
        return profiles(named, positive("columns", PROFILE_COLUMNS if columns is None else columns))
    above, note_above = pictures("originals", originals, image_shape)
    below, note_below = pictures("reconstructions", rebuilt, image_shape)
    columns = min(positive("columns", COLUMNS if columns is None else columns), len(above))
    return _draw(above, below, columns, "; ".join(note for note in (note_above, note_below) if note))


def _draw(above: Array, below: Array, columns: int, note: str) -> Figure:
    height, width = above.shape[1:3]
    page, centres = _pairs(above, below, columns)
    scale = inches_per_pixel(columns, height, width, WIDTH - LABEL)
    with house_style():
        figure = new_figure(scale * page.shape[1] + LABEL, scale * page.shape[0] + 0.1, note)
        axes = figure.subplots()
        show(axes, page)
        axes.set_yticks(centres, ["original", "reconstruction"] * (len(centres) // 2))
        axes.tick_params(length=0)
    return figure


def _pairs(above: Array, below: Array, columns: int) -> tuple[Array, list[float]]:
    """All pairs on one page, blocks three gaps apart, and the height at which the middle of each row of pictures lies."""
    height, width = above.shape[1:3]
    between = gap(height, width)
    strips: list[Array] = []
    centres: list[float] = []
    top = 0
    for start in range(0, len(above), columns):
        for images, space in ((above, between), (below, 3 * between)):
            strip = mosaic(images[start : start + columns], columns, between)
            strips += [strip, np.ones((space, *strip.shape[1:]))]
            centres.append(top + (height - 1) / 2)
            top += height + space
    return np.concatenate(strips[:-1]), centres

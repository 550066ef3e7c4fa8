"""Rows of pictures, each with its name at the left: noisy over denoised over clean, one way between two codes over another.

    named {"noisy": (N, F), "denoised": (N, F), ...}      row k of every array stands in column k

With `headings` (N words) all pictures of an array stand in one row, under their headings; without, `columns` a row, in blocks.
Pictures are drawn in [0, 1], black to white; values outside are clamped, and a line under the figure says so.
Raises InputError when the arrays differ in shape, are empty or not two-dimensional, when there are not as many headings as columns, or when
image_shape does not multiply to F; NonFiniteError for NaN and infinity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.images import COLUMNS, ImageShape, gap, inches_per_pixel, mosaic, pictures, show
from npae.figures.rows import Array, few_rows, positive
from npae.figures.style import WIDTH, house_style, new_figure

LETTER = 0.07  # inches: the width of a letter of 8 points


def labelled_rows(
    named: Mapping[str, ArrayLike],
    image_shape: ImageShape,
    *,
    columns: int | None = None,
    headings: Sequence[str] | None = None,
    note: str = "",
) -> Figure:
    """The arrays of `named` over one another; `note` is written under the figure."""
    arrays = {name: few_rows(name, values) for name, values in named.items()}
    if not arrays:
        raise InputError("named: no rows of pictures; give at least one, such as {'clean': x}")
    first, shape = next((name, values.shape) for name, values in arrays.items())
    for name, values in arrays.items():
        if values.shape != shape:
            raise InputError(f"{name}: shape {values.shape}, but {first} has {shape}; give as many pictures of the same size")
    if headings is not None and len(headings) != shape[0]:
        raise InputError(f"headings: {len(headings)} for {shape[0]} columns; give one for each")
    drawn = {name: pictures(name, values, image_shape) for name, values in arrays.items()}
    across = shape[0] if headings is not None else min(positive("columns", COLUMNS if columns is None else columns), shape[0])
    notes = [said for _, said in drawn.values() if said] + ([note] if note else [])
    return draw_rows([(name, images) for name, (images, _) in drawn.items()], across, headings, "; ".join(notes))


def draw_rows(rows: Sequence[tuple[str, Array]], columns: int, headings: Sequence[str] | None, note: str) -> Figure:
    """The same for pictures (N, H, W, 3) that have been checked."""
    height, width = rows[0][1].shape[1:3]
    page, centres = _page([images for _, images in rows], columns)
    names = [name for name, _ in rows]
    label = LETTER * max(map(len, names)) + 0.05
    scale = inches_per_pixel(columns, height, width, WIDTH - label)
    step = width + gap(height, width)
    slanted = headings is not None and LETTER * max(map(len, headings)) > scale * step
    above = 0.0 if headings is None else 0.05 + 0.7 * LETTER * max(map(len, headings)) if slanted else 0.2
    with house_style():
        figure = new_figure(scale * page.shape[1] + label, scale * page.shape[0] + 0.1 + above, note)
        axes = figure.subplots()
        show(axes, page)
        axes.set_yticks(centres, names * (len(centres) // len(names)))
        if headings is not None:
            slant: dict[str, Any] = {"rotation": 40, "ha": "left", "rotation_mode": "anchor"} if slanted else {}
            axes.set_xticks([(width - 1) / 2 + step * i for i in range(columns)], headings, **slant)
            axes.tick_params(axis="x", labeltop=True, labelbottom=False)
        axes.tick_params(length=0)
    return figure


def _page(arrays: Sequence[Array], columns: int) -> tuple[Array, list[float]]:
    """All rows on one page, blocks three gaps apart, and the height at which the middle of each row of pictures lies."""
    height, width = arrays[0].shape[1:3]
    between = gap(height, width)
    strips: list[Array] = []
    centres: list[float] = []
    top = 0
    for start in range(0, len(arrays[0]), columns):
        for number, images in enumerate(arrays, start=1):
            space = 3 * between if number == len(arrays) else between
            strip = mosaic(images[start : start + columns], columns, between)
            strips += [strip, np.ones((space, *strip.shape[1:]))]
            centres.append(top + (height - 1) / 2)
            top += height + space
    return np.concatenate(strips[:-1]), centres

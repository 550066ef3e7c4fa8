"""Pictures of several models next to one another: a block of them a model, its name on top.

    named {"vae": (N, F), "gan": (N, F), ...}        blocks of one size, read from left to right, two rows of blocks above four

Pictures are drawn in [0, 1], black to white; values outside are clamped, and a line under the figure says so.
Raises InputError for fewer than two models, for arrays of different shape and an image_shape that does not multiply to F.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.images import ImageShape, gap, inches_per_pixel, mosaic, pictures, show
from npae.figures.rows import Array, few_rows, positive
from npae.figures.style import WIDTH, house_style, new_figure

BETWEEN = 0.3  # inches from block to block


def beside(named: Mapping[str, ArrayLike], image_shape: ImageShape, *, columns: int | None = None, note: str = "") -> Figure:
    """The pictures of each model in its block, `columns` a row (without a number: so that the block is about square)."""
    arrays = {name: few_rows(name, values) for name, values in named.items()}
    if len(arrays) < 2:
        raise InputError(f"{len(arrays)} block of pictures: at least 2 are needed to stand beside one another")
    first, shape = next((name, values.shape) for name, values in arrays.items())
    for name, values in arrays.items():
        if values.shape != shape:
            raise InputError(f"{name}: shape {values.shape}, but {first} has {shape}; give as many pictures of the same size")
    columns = min(positive("columns", math.ceil(math.sqrt(shape[0])) if columns is None else columns), shape[0])
    drawn = {name: pictures(name, values, image_shape) for name, values in arrays.items()}
    notes = "; ".join(said for said in (*(said for _, said in drawn.values()), note) if said)
    return _draw({name: images for name, (images, _) in drawn.items()}, columns, notes)


def _draw(blocks: Mapping[str, Array], columns: int, note: str) -> Figure:
    height, width = next(iter(blocks.values())).shape[1:3]
    pages = {name: mosaic(images, columns, gap(height, width)) for name, images in blocks.items()}
    across = len(pages) if len(pages) <= 4 else math.ceil(len(pages) / 2)
    n_rows = math.ceil(len(pages) / across)
    scale = inches_per_pixel(columns, height, width, (WIDTH - BETWEEN * (across - 1)) / across)
    page_height, page_width = next(iter(pages.values())).shape[:2]
    titles = {name: textwrap.fill(name, max(10, int(scale * page_width / 0.08))) for name in pages}
    lines = max(title.count("\n") + 1 for title in titles.values())
    with house_style():
        size = across * (scale * page_width + BETWEEN) - BETWEEN + 0.1, n_rows * (scale * page_height + 0.2 + 0.17 * lines)
        figure = new_figure(*size, note)
        for i, axes in enumerate(figure.subplots(n_rows, across, squeeze=False).flat):
            axes.set_visible(i < len(pages))
        for (name, page), axes in zip(pages.items(), figure.axes, strict=False):
            show(axes, page)
            axes.set_title(titles[name])
    return figure
